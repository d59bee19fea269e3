// What has changed from one schema to another: node diff.mjs OLD NEW. Prints the changes as JSON.
import { readFileSync } from 'node:fs';
import { buildSchema } from 'graphql';
import { diff } from '@graphql-inspector/core';

const [older, newer] = process.argv.slice(2).map((file) => buildSchema(readFileSync(file, 'utf8')));
const changes = await diff(older, newer);
const told = changes.map(({ path, message, criticality }) => ({
  path: path ?? null,
  message,
  level: criticality.level,
  reason: criticality.reason ?? null,
}));
console.log(JSON.stringify(told));
