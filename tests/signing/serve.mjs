// A backend behind the verifier of docs/backend-signatures.md, for the tests.
//
//     node serve.mjs PATH_OF_THE_VERIFIER
//
// Prints its port. A line on standard input, {keys, resource, now}, makes a new verifier; it answers `ready`.
// A request is answered 200, or 403 with the check that refused it, or 500 with what else went wrong.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const { Refused, Verifier } = await import(pathToFileURL(process.argv[2]).href);
let [verifier, now] = [undefined, 0];

async function answer(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  try {
    await verifier.verify(request, Buffer.concat(parts), now);
    return [200, ''];
  } catch (error) {
    return error instanceof Refused ? [403, error.message] : [500, String(error)];
  }
}

const server = createServer(async (request, response) => {
  const [status, text] = await answer(request);
  response.writeHead(status, { connection: 'close' }).end(text);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
createInterface({ input: process.stdin }).on('line', (line) => {
  const given = JSON.parse(line);
  now = given.now;
  if (given.keys) {
    const keys = Object.entries(given.keys).map(([id, secret]) => [id, Buffer.from(secret, 'hex')]);
    verifier = new Verifier(Object.fromEntries(keys), given.resource);
  }
  console.log('ready');
}).on('close', () => process.exit(0));
