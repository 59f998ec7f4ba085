/**
 * graphql-eslint on the committed schema and operations; run at the top of the repository. Each rule that is off, or less
 * than the default, has its reason here.
 */
import { readFileSync } from 'node:fs';
import graphql from '@graphql-eslint/eslint-plugin';
import { buildSchema, isInterfaceType, isObjectType } from 'graphql';

const SCHEMA = 'graphql/schema.graphql';
const OPERATIONS = 'graphql/operations/*.graphql';

const parserOptions = { graphQLConfig: { schema: SCHEMA, documents: OPERATIONS } };
const languageOptions = { parser: graphql.parser, parserOptions };
const plugins = { '@graphql-eslint': graphql };

/** Types that are no things with an identity: what happened, answers, pages, and values inside things. */
const schema = buildSchema(readFileSync(SCHEMA, 'utf8'));
const node = schema.getType('Node');
const values = Object.values(schema.getTypeMap())
  .filter((type) => isObjectType(type) && !(isInterfaceType(node) && type.getInterfaces().includes(node)))
  .map(({ name }) => name);

const ofSchema = {
  ...graphql.configs['flat/schema-recommended'].rules,
  ...graphql.configs['flat/schema-relay'].rules,
  // `id` belongs to the types of `Node`, and to no other: a cache would join two things of one id.
  '@graphql-eslint/strict-id-in-types': ['error', { exceptions: { types: values } }],
  // Ids of the wire are called `cardId`, `attemptId`, … wherever they stand, also in `Card` and `Attempt`.
  '@graphql-eslint/no-typename-prefix': 'off',
  // GraphQL's own specification describes `@oneOf`; the printer of the SDL adds no text to it.
  '@graphql-eslint/require-description': [
    'error',
    {
      types: true,
      DirectiveDefinition: true,
      rootField: true,
      ignoredSelectors: ['[type=DirectiveDefinition][name.value=oneOf]'],
    },
  ],
  // Pages go forwards: the store reads its lists in one direction.
  '@graphql-eslint/relay-arguments': ['error', { includeBoth: false }],
  // Log lines, items of a conversation and events in the log have no `id`: nothing refers to them. Short lists are plain
  // lists, and a connection has `nodes` for those who need no cursors.
  '@graphql-eslint/relay-edge-types': [
    'error',
    { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
  ],
};
const ofOperations = {
  ...graphql.configs['flat/operations-recommended'].rules,
};

export default [
  { files: ['**/schema.graphql'], languageOptions, plugins, rules: ofSchema },
  { files: ['**/operations/*.graphql'], languageOptions, plugins, rules: ofOperations },
];
