// What a rollout runs: a plain fragment within a connection within a connection.
import { graphql, useFragment } from 'react-relay';

export const podsOf = graphql`
  fragment Pods_of on Rollout {
    split {
      actualWeight
      slices {
        roles
        weight
      }
    }
    revisions(first: 5) {
      edges {
        node {
          number
          replicaSet {
            pods(first: 20) {
              edges {
                node {
                  ...Pods_pod
                }
              }
            }
          }
        }
      }
    }
  }
`;

export const podsPod = graphql`
  fragment Pods_pod on Pod {
    ...Pods_object
    status
    ready
    restarts
  }
`;

export const podsObject = graphql`
  fragment Pods_object on KubernetesObject {
    id
    name
    freshness {
      stale
    }
  }
`;

export function Pods({ rollout }) {
  return useFragment(podsOf, rollout);
}
