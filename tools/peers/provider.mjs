// An OpenID provider on oidc-provider: access tokens for the resource that is asked for, by client credentials.
//
//     node provider.mjs PORT KEYS_FILE     in a folder whose node_modules hold oidc-provider
//
// Prints `ready` when it listens. SIGHUP rotates: a new key signs, the older ones stay published. The keys are in
// KEYS_FILE, so that it comes back with them.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [port, keysFile] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const installed = createRequire(join(process.cwd(), 'package.json'));
const { default: Provider } = await import(pathToFileURL(installed.resolve('oidc-provider')).href);

function readKeys() {
  return existsSync(keysFile) ? JSON.parse(readFileSync(keysFile, 'utf8')) : [];
}

function addKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
  writeFileSync(keysFile, JSON.stringify([key, ...readKeys()]), { mode: 0o600 });
}

function buildProvider() {
  const client = {
    client_id: 'peer',
    client_secret: 'peer-only',
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
  };
  return new Provider(issuer, {
    clients: [client],
    jwks: { keys: readKeys() },
    scopes: ['mcp:tools'],
    ttl: { ClientCredentials: 600 },
    extraTokenClaims: () => ({ roles: ['peer'] }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, indicator) => ({
          scope: 'mcp:tools',
          audience: indicator,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
}

if (readKeys().length === 0) addKey();
let answer = buildProvider().callback();
process.on('SIGHUP', () => {
  addKey();
  answer = buildProvider().callback();
  console.log('rotated');
});
createServer((request, response) => answer(request, response)).listen(Number(port), '127.0.0.1', () => {
  console.log(`ready ${issuer}`);
});
