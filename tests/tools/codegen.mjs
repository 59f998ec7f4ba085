/** graphql-codegen with its client preset: TypeScript of the committed operations, into the folder of the argument. */
import { generate } from '@graphql-codegen/cli';

const here = new URL('.', import.meta.url).pathname;
const config = {
  useTypeImports: true,
  strictScalars: true,
  scalars: { DateTime: 'string', SafeInt: 'number', JSON: 'unknown' },
};

await generate(
  {
    schema: `${here}../../graphql/schema.graphql`,
    documents: `${here}../../graphql/operations/*.graphql`,
    generates: { [`${process.argv[2]}/gql/`]: { preset: 'client', config, presetConfig: { fragmentMasking: false } } },
    emitLegacyCommonJSImports: false,
    silent: true,
  },
  true,
);
