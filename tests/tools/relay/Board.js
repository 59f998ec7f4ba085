/** What a program with Relay declares; Relay's compiler makes the artefacts that `relay_client.cjs` reads. */
graphql`
  query BoardQuery($boardId: ID!) {
    ...Board_attempts @arguments(boardId: $boardId)
  }
`;

graphql`
  fragment Board_attempts on Query
  @refetchable(queryName: "BoardAttemptsQuery")
  @argumentDefinitions(boardId: { type: "ID!" }, count: { type: "Int", defaultValue: 2 }, after: { type: "String" }) {
    attempts(boardId: $boardId, first: $count, after: $after) @connection(key: "Board_attempts") {
      edges {
        node {
          id
          agentKey
          ...Board_logs
          card {
            id
            ...Board_tries
          }
        }
      }
    }
  }
`;

graphql`
  fragment Board_logs on Attempt
  @refetchable(queryName: "BoardLogsQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 1 }, after: { type: "String" }) {
    logs(first: $count, after: $after) @connection(key: "Board_logs") {
      edges {
        node {
          message
        }
      }
    }
  }
`;

graphql`
  fragment Board_tries on Card
  @refetchable(queryName: "BoardTriesQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 1 }, after: { type: "String" }) {
    attempts(first: $count, after: $after) @connection(key: "Card_attempts") {
      edges {
        node {
          attemptId
        }
      }
    }
  }
`;

graphql`
  subscription BoardAttemptSubscription($boardId: ID!, $attemptId: ID!, $connections: [ID!]!) {
    attemptEvents(boardId: $boardId, attemptId: $attemptId) {
      __typename
      ... on AttemptLogAppended {
        edge @appendEdge(connections: $connections) {
          cursor
          node {
            message
          }
        }
      }
    }
  }
`;

graphql`
  mutation BoardCreateCardMutation($boardId: ID!, $input: CreateCardInput!) {
    createCard(boardId: $boardId, input: $input) {
      __typename
      ... on CreateCardPayload {
        card {
          title
        }
      }
    }
  }
`;

graphql`
  mutation BoardLogMutation($boardId: ID!, $attemptId: ID!) {
    publishAttemptEvent(
      event: { attemptLogAppended: { boardId: $boardId, attemptId: $attemptId, level: INFO, message: "Appended" } }
    ) {
      __typename
    }
  }
`;

graphql`
  subscription BoardStateSubscription($boardId: ID!) {
    boardState(boardId: $boardId) {
      cursor
      columns {
        cards {
          title
        }
      }
    }
  }
`;
