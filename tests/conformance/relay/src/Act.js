// What a person does to a rollout: the payload brings its row up to date, and says what was in the way.
import { graphql, useFragment, useMutation } from 'react-relay';

export const actions = graphql`
  fragment Act_actions on Rollout {
    currentStepIndex
    viewerActions(actions: [PROMOTE, ABORT]) {
      action
      allowed
      message
    }
  }
`;

export const promote = graphql`
  mutation ActPromoteMutation($input: PromoteRolloutInput!) {
    promoteRollout(input: $input) {
      clientMutationId
      message
      rollout {
        ...Act_actions
        ...Rollouts_row
      }
      userErrors {
        __typename
        message
        ... on ConflictError {
          currentStepIndex
        }
        ... on ForbiddenError {
          missingScopes
        }
      }
    }
  }
`;

export function Act({ rollout }) {
  const { currentStepIndex } = useFragment(actions, rollout);
  const [commit] = useMutation(promote);
  const input = { rollout: { id: rollout.id }, expectedStepIndex: currentStepIndex };
  return () => commit({ variables: { input } });
}
