import { useState } from "react";
import { useMutation, useSubscription } from "urql";

import { graphql } from "./__generated__";
import type { ProgressSubscription } from "./__generated__/graphql";
import type { Key } from "./Fleet";

const PROGRESS = graphql(`
  subscription Progress($rollout: RolloutRefInput!) {
    stepProgress(rollout: $rollout) {
      kind
      cursor
      rollout {
        id
        phase
        message
        currentStepIndex
      }
      split {
        desiredWeight
        actualWeight
      }
      steps {
        current
        step {
          index
          state
          label
        }
        waiting {
          message
          human
          until
        }
      }
    }
  }
`);

const PROMOTE = graphql(`
  mutation Promote($rollout: RolloutRefInput!, $step: Int) {
    promoteRollout(
      input: { rollout: $rollout, expectedStepIndex: $step, reason: "promoted on the page" }
    ) {
      applied
      message
      userErrors {
        __typename
        message
      }
    }
  }
`);

type Event = ProgressSubscription["stepProgress"];

/** One canary, step by step, as it happens. */
export function Progress({ rollout }: { rollout: Key }) {
  const variables = { rollout: { key: rollout } };
  const [{ data: event, error }] = useSubscription(
    { query: PROGRESS, variables },
    // RESYNC says to forget what is known; the state follows.
    (_: Event | undefined, answer): Event => answer.stepProgress,
  );
  if (error) return <p role="alert">{error.message}</p>;
  if (!event?.rollout) return <p>{event ? "It is gone." : "…"}</p>;
  const { phase, message, currentStepIndex } = event.rollout;
  const human = event.steps?.some(({ waiting }) => waiting?.human) ?? false;
  return (
    <article aria-live="polite">
      <h1>
        {rollout.name} <i data-phase={phase}>{phase}</i>
      </h1>
      <p>{message}</p>
      <meter min={0} max={100} value={event.split?.actualWeight ?? 0} />{" "}
      {event.split?.actualWeight ?? 0} % of {event.split?.desiredWeight ?? 0} %
      <ol>
        {event.steps?.map(({ step, current, waiting }) => (
          <li key={step.index} aria-current={current ? "step" : undefined} data-state={step.state}>
            {step.label} {waiting && <em>{waiting.message}</em>}
          </li>
        ))}
      </ol>
      <Promotion rollout={rollout} step={currentStepIndex} enabled={human} />
    </article>
  );
}

/** With the step that was on the screen: a second click promotes nothing that nobody has seen. */
function Promotion(props: { rollout: Key; step: number | null | undefined; enabled: boolean }) {
  const [, promote] = useMutation(PROMOTE);
  const [said, say] = useState("");
  async function clicked() {
    const variables = { rollout: { key: props.rollout }, step: props.step ?? null };
    const { data, error } = await promote(variables);
    const failures = data?.promoteRollout.userErrors.map((each) => each.message) ?? [];
    say(error?.message ?? [...failures, data?.promoteRollout.message].filter(Boolean).join(" "));
  }
  return (
    <p>
      <button disabled={!props.enabled} onClick={() => void clicked()}>
        Promote
      </button>{" "}
      <output>{said}</output>
    </p>
  );
}
