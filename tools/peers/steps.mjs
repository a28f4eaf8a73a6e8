// An MCP client of npm that takes the steps of a plan, and prints what it was told: one line of JSON.
//
//     node steps.mjs PACKAGE ERA URL PLAN     in a folder whose node_modules hold PACKAGE
//
// PACKAGE and ERA are as in sign-in.mjs. PLAN is a list of steps in JSON:
//     ["list"]  ["call", TOOL, ARGUMENTS]  ["read", URI]  ["subscribe", URI]  ["await", METHOD]
//     ["resume", TOOL, ARGUMENTS, MS]     leaves after the first progress, and comes back later with the last event's id
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [name, era, url, plan] = process.argv.slice(2);
const AWAIT_MS = 15_000;
const installed = createRequire(join(process.cwd(), 'package.json'));
const load = (path) => import(pathToFileURL(installed.resolve(path)).href);
const isSdk = name.endsWith('/sdk');
const parts = isSdk ? [`${name}/client/index.js`, `${name}/client/streamableHttp.js`, `${name}/types.js`] : [name];
const mcp = Object.assign({}, ...(await Promise.all(parts.map(load))));

const seen = [];
let wake = () => {};

const ANSWERS = {
  'sampling/createMessage': { model: 'peer', role: 'assistant', content: { type: 'text', text: 'sampled' } },
  'elicitation/create': { action: 'accept', content: { name: 'Ann', username: 'ann', email: 'ann@example.com', ok: true } },
  'roots/list': { roots: [{ uri: 'file:///peer', name: 'peer' }] },
};
const SCHEMAS = {
  'sampling/createMessage': mcp.CreateMessageRequestSchema,
  'elicitation/create': mcp.ElicitRequestSchema,
  'roots/list': mcp.ListRootsRequestSchema,
};

function makeClient() {
  const client = new mcp.Client({ name: 'peer', version: '1' }, {
    capabilities: { sampling: {}, elicitation: {}, roots: {} },
    versionNegotiation: { mode: era === 'legacy' ? era : { pin: era } },
  });
  for (const [method, answer] of Object.entries(ANSWERS)) {
    client.setRequestHandler(isSdk ? SCHEMAS[method] : method, () => answer);
  }
  client.fallbackNotificationHandler = async ({ method, params }) => {
    seen.push({ method, params });
    wake();
  };
  return client;
}

const transport = (sessionId) => new mcp.StreamableHTTPClientTransport(new URL(url), { sessionId });
let client = makeClient();
let line = transport();
await client.connect(line);

async function untilSeen(method) {
  const ends = Date.now() + AWAIT_MS;
  for (;;) {
    const found = seen.find((each) => each.method === method);
    if (found !== undefined) return found;
    if (Date.now() > ends) throw new Error(`no ${method} came`);
    await new Promise((resolve) => {
      wake = resolve;
      setTimeout(resolve, AWAIT_MS).unref();
    });
  }
}

async function call(tool, given) {
  const progress = [];
  const options = { onprogress: (each) => progress.push(each) };
  const result = await client.callTool({ name: tool, arguments: given }, ...(isSdk ? [undefined, options] : [options]));
  return { progress, result };
}

// What is sent again is the same request: the server answers the id that it knows.
async function resume(tool, given, pauseMs) {
  const params = { name: tool, arguments: given };
  let token;
  const left = new Promise((resolve) => {
    const options = { onprogress: resolve, onresumptiontoken: (each) => { token = each; } };
    const asked = isSdk
      ? client.request({ method: 'tools/call', params }, mcp.CallToolResultSchema, options)
      : client.request({ method: 'tools/call', params }, options);
    asked.catch(() => {});
  });
  await left;
  const { sessionId, protocolVersion } = line;
  await client.close();
  await new Promise((resolve) => { setTimeout(resolve, pauseMs); });
  client = makeClient();
  line = transport(sessionId);
  await client.connect(line);
  line.setProtocolVersion?.(protocolVersion);
  const options = { resumptionToken: token };
  return isSdk
    ? client.request({ method: 'tools/call', params }, mcp.CallToolResultSchema, options)
    : client.request({ method: 'tools/call', params }, options);
}

const STEPS = {
  list: async () => ({
    tools: (await client.listTools()).tools,
    resources: (await client.listResources()).resources,
    templates: (await client.listResourceTemplates()).resourceTemplates,
    prompts: (await client.listPrompts()).prompts,
  }),
  call,
  resume,
  read: (uri) => client.readResource({ uri }),
  subscribe: (uri) => client.subscribeResource({ uri }),
  await: untilSeen,
};

const told = [{ server: client.getServerVersion(), can: client.getServerCapabilities(), says: client.getInstructions() }];
for (const [step, ...given] of JSON.parse(plan)) {
  told.push({ step: [step, ...given], told: await STEPS[step](...given) });
}
await line.terminateSession?.();
await client.close();
process.stdout.write(`${JSON.stringify(told)}\n`, () => process.exit(0));
