// The demo's identity provider, on oidc-provider: an OpenID provider that passes the conformance suite of OpenID.
//
//     node provider.mjs PORT [HOST]
//
// People sign in at its pages with any password; their name is their role. Programs get a token with their client's name
// and secret. Everything is in memory and every secret is public: for trying agen-authz out, and for nothing else.
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import Provider from 'oidc-provider';

const [port, host = '127.0.0.1'] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const ROLES = ['analyst', 'support', 'finance', 'admin'];
const SCOPE = 'mcp:tools';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const signing = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };

// A program for each role: `curl -u analyst:analyst-demo -d grant_type=client_credentials ...`
const programs = ROLES.map((role) => ({
  client_id: role,
  client_secret: `${role}-demo`,
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
}));
// The MCP Inspector, which signs people in.
const inspector = {
  client_id: 'inspector',
  token_endpoint_auth_method: 'none',
  application_type: 'native',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  redirect_uris: ['http://127.0.0.1:6274/oauth/callback', 'http://localhost:6274/oauth/callback'],
};

const provider = new Provider(issuer, {
  clients: [...programs, inspector],
  jwks: { keys: [signing] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  scopes: ['openid', 'offline_access', SCOPE],
  ttl: { ClientCredentials: 600, AccessToken: 600, Interaction: 600, Grant: 3600, Session: 3600, RefreshToken: 3600 },
  clientBasedCORS: (_ctx, origin) => /^http:\/\/(127\.0\.0\.1|localhost):6274$/.test(origin),
  pkce: { required: () => true },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  // What agen-authz decides by: `roles`, and where the caller is.
  extraTokenClaims: (_ctx, token) => {
    const name = token.accountId ?? token.clientId;
    return { roles: ROLES.includes(name) ? [name] : [], country: name === 'admin' ? 'DE' : 'US' };
  },
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, resource) => ({
        scope: SCOPE,
        audience: resource,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});

const server = provider.listen(Number(port), host, () => console.log(`ready ${issuer}`));
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => server.close(() => process.exit(0)));
}
