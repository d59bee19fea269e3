// Composes a supergraph of subgraphs: node compose.mjs NAME=FILE... Prints errors and the SDL as JSON.
import { readFileSync } from 'node:fs';
import { parse } from 'graphql';
import { composeServices } from '@theguild/federation-composition';

const services = process.argv.slice(2).map((argument) => {
  const [name, file] = argument.split('=');
  return { name, url: `http://${name}.invalid`, typeDefs: parse(readFileSync(file, 'utf8')) };
});
const { errors, supergraphSdl } = composeServices(services);
const told = (errors ?? []).map(({ message, extensions }) => ({ message, code: extensions?.code }));
console.log(JSON.stringify({ errors: told, supergraph: supergraphSdl ?? null }));
