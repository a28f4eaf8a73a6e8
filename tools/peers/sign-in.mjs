// An MCP client of npm that knows only a server's URL: it signs in by itself and calls one tool.
//
//     node sign-in.mjs PACKAGE ERA URL ROLE TOOL ARGUMENTS     in a folder whose node_modules hold PACKAGE
//
// PACKAGE is `@modelcontextprotocol/client` or `@modelcontextprotocol/sdk`, ERA `legacy`, `auto` or a revision (the sdk
// knows only `legacy`). Prints one line of JSON: the requests that it made, the token's
// audience, and what the tool said.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [name, era, url, role, tool, given] = process.argv.slice(2);
const CALLBACK = 'http://127.0.0.1:49152/callback';
const installed = createRequire(join(process.cwd(), 'package.json'));
const load = (path) => import(pathToFileURL(installed.resolve(path)).href);
const parts = name.endsWith('/sdk') ? [`${name}/client/index.js`, `${name}/client/streamableHttp.js`] : [name];
const { Client, StreamableHTTPClientTransport } = Object.assign({}, ...(await Promise.all(parts.map(load))));

const asked = [];
async function fetchAndTell(input, init) {
  const answer = await fetch(input, init);
  const { pathname } = new URL(input instanceof Request ? input.url : input);
  const version = new Headers(init?.headers).get('mcp-protocol-version');
  asked.push({ method: init?.method ?? 'GET', path: pathname, version, status: answer.status });
  return answer;
}

// Keeps what a client would write to a disk, and is the person who logs in.
class Person {
  redirectUrl = CALLBACK;
  clientMetadata = {
    client_name: 'npm',
    redirect_uris: [CALLBACK],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  clientInformation() { return this.client; }
  saveClientInformation(client) { this.client = client; }
  tokens() { return this.kept; }
  saveTokens(tokens) { this.kept = tokens; }
  codeVerifier() { return this.verifier; }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  discoveryState() { return this.discovered; }
  saveDiscoveryState(state) { this.discovered = state; }

  async redirectToAuthorization(where) {
    const page = await (await fetch(where)).text();
    const login = /name="login" value="([^"]+)"/.exec(page)[1];
    const form = new URLSearchParams({ login, person: role, answer: 'log-in' });
    const answer = await fetch(new URL('/login', where), { method: 'POST', body: form, redirect: 'manual' });
    this.answered = new URL(answer.headers.get('location')).searchParams;
  }
}

const person = new Person();
const transport = () => new StreamableHTTPClientTransport(new URL(url), { authProvider: person, fetch: fetchAndTell });
const client = () => new Client({ name: 'peer', version: '1' }, {
  versionNegotiation: { mode: era === 'legacy' || era === 'auto' ? era : { pin: era } },
});

// The first attempt ends at the login page, as it does in a browser; the second has a token.
const first = transport();
try {
  await client().connect(first);
} catch (error) {
  if (person.answered === undefined) throw error;
}
await first.finishAuth(name.endsWith('/sdk') ? person.answered.get('code') : person.answered);
const signedIn = client();
await signedIn.connect(transport());
const result = await signedIn.callTool({ name: tool, arguments: JSON.parse(given) });
await signedIn.close();
const { aud: audience } = JSON.parse(Buffer.from(person.kept.access_token.split('.')[1], 'base64url').toString());
const told = { asked, audience, isError: result.isError ?? false, content: result.content };
process.stdout.write(`${JSON.stringify(told)}\n`);
