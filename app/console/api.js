/** The agents' HTTP API, and nothing of the page. The token stays in this module's memory. */

let token = "";

export function useToken(text) {
  token = text.trim();
}

/** What an answer other than 2xx says. `status` 401 means that a token is asked for. */
export class Problem extends Error {
  constructor(status, document, retryAfter) {
    super(document.detail ?? document.title ?? `HTTP ${status}`);
    this.status = status;
    this.correlationId = document.correlationId ?? "";
    this.problems = document.problems ?? [];
    this.retryAfter = retryAfter;
  }
}

async function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (token) headers.authorization = `Bearer ${token}`;
  const answer = await fetch(path, { ...options, headers });
  if (!answer.ok && !options.accept?.includes(answer.status)) {
    const document = await answer.json().catch(() => ({}));
    throw new Problem(answer.status, document, answer.headers.get("retry-after"));
  }
  return { body: await answer.json(), headers: answer.headers };
}

export const agents = async () => (await ask("/console/agents")).body.agents;
export const describe = async (agent) => (await ask(`/api/${agent}`)).body;
/** Also when it is degraded (503). */
export const health = async (agent) => (await ask(`/api/${agent}/health`, { accept: [503] })).body;

export async function executions(agent, after) {
  const query = new URLSearchParams({ limit: "10", ...(after ? { after } : {}) });
  return (await ask(`/api/${agent}/executions?${query}`)).body;
}

export async function execute(agent, prompt, input) {
  const { body, headers } = await ask(`/api/${agent}/execute`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": crypto.randomUUID() },
    body: JSON.stringify({ input, ...(prompt ? { prompt } : {}) }),
  });
  return {
    execution: body,
    provider: headers.get("x-llm-provider"),
    model: headers.get("x-llm-model"),
    correlationId: headers.get("x-correlation-id"),
  };
}
