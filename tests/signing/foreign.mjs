// Two packages of npm that implement RFC 9421, for the tests: each verifies what we signed, and signs it anew.
//
//     node foreign.mjs FOLDER      whose node_modules hold http-message-signatures and http-message-sig
//
// In: a JSON list of requests. Out: for each of them and each package {verified, signatureInput, signature}; `verified`
// is true, or what the package said against it.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.argv[2], 'package.json'));
const { createSigner, createVerifier, httpbis } = require('http-message-signatures');
const sig = require('http-message-sig');
const ALGORITHM = 'hmac-sha256';

async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

const signatures = {
  verify: ({ method, url, headers, keys, required }) => httpbis.verifyMessage({
    all: true,
    requiredFields: required,
    requiredParams: ['created', 'expires', 'nonce', 'keyid', 'alg', 'tag'],
    keyLookup: async ({ keyid }) => Object.hasOwn(keys, keyid)
      ? { id: keyid, algs: [ALGORITHM], verify: createVerifier(Buffer.from(keys[keyid], 'hex'), ALGORITHM) }
      : null,
  }, { method, url, headers: Object.fromEntries(headers) }),
  sign: async ({ method, url, headers, keys, covered, parameters }) => {
    const { created, expires, ...rest } = parameters;
    const bare = headers.filter(([name]) => !name.startsWith('signature'));
    const signed = await httpbis.signMessage({
      name: 'agen',
      key: createSigner(Buffer.from(keys[rest.keyid], 'hex'), ALGORITHM, rest.keyid),
      fields: covered,
      params: ['keyid', 'alg', 'tag', 'nonce', 'expires', 'created'],
      paramValues: { created: new Date(created * 1000), expires: new Date(expires * 1000), ...rest },
    }, { method, url, headers: Object.fromEntries(bare) });
    return { signatureInput: signed.headers['Signature-Input'], signature: signed.headers.Signature };
  },
};

const mac = (secret) => (bytes) => createHmac('sha256', Buffer.from(secret, 'hex')).update(bytes).digest();
const messageOf = ({ method, url, target, headers }) => ({
  kind: 'request', method, targetUri: url, requestTarget: target, fields: headers.map(([name, value]) => ({ name, value })),
});

function readComponent(spelt) {
  const [, name, key, value] = /^"([^"]+)"(?:;([a-z]+)="([^"]*)")?$/.exec(spelt);
  return { name, parameters: key ? { [key]: value } : {} };
}

const messageSig = {
  verify: async (asked) => {
    await sig.verifySignature(messageOf(asked), {
      label: 'agen',
      policy: {
        algorithms: [ALGORITHM],
        requiredComponents: asked.required,
        requiredParameters: ['created', 'expires', 'nonce', 'keyid', 'alg', 'tag'],
        now: asked.now,
      },
      resolveVerifier: async ({ parameters: { keyid } }) => {
        if (!Object.hasOwn(asked.keys, keyid)) throw new Error('unknown key');
        return {
          algorithm: ALGORITHM,
          verify: async (bytes, signature) => timingSafeEqual(mac(asked.keys[keyid])(bytes), signature),
        };
      },
    });
    return true;
  },
  sign: async (asked) => {
    const bare = { ...asked, headers: asked.headers.filter(([name]) => !name.startsWith('signature')) };
    return sig.createSignatureSync(messageOf(bare), {
      label: 'agen',
      components: asked.covered.map(readComponent),
      parameters: { tag: asked.parameters.tag, ...asked.parameters },
      signer: { algorithm: ALGORITHM, sign: mac(asked.keys[asked.parameters.keyid]) },
    });
  },
};

const parts = [];
for await (const part of process.stdin) parts.push(part);
const answers = [];
for (const asked of JSON.parse(Buffer.concat(parts).toString('utf8'))) {
  Date.now = () => asked.now * 1000; // the first package takes no time
  const said = {};
  for (const [name, library] of Object.entries({ 'http-message-signatures': signatures, 'http-message-sig': messageSig })) {
    const signed = await attempt(() => library.sign(asked));
    said[name] = { verified: await attempt(() => library.verify(asked)), ...(signed.signature ? signed : { signed }) };
  }
  answers.push(said);
}
console.log(JSON.stringify(answers));
