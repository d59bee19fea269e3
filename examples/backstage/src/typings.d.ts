// What RolloutCard uses of two packages that would bring 500 others along. These are our own words
// for them, so the compiler does not prove that they are Backstage's: in your app delete this file.

declare module "@backstage/core-components" {
  import type { ReactNode } from "react";
  export function InfoCard(props: { title: string; children?: ReactNode }): JSX.Element;
  export function Progress(): JSX.Element;
  export function ResponseErrorPanel(props: { error: Error }): JSX.Element;
}

declare module "@backstage/plugin-catalog-react" {
  import type { Entity } from "@backstage/catalog-model";
  export function useEntity(): { entity: Entity };
}
