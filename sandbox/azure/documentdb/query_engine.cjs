// Answers queries over one account's documents, on a unix socket: node query_engine.cjs SOCKET SERVER
//
// SERVER is the entry file of @vercel/cosmosdb-server; its query language is used. The documents here are a copy
// of what the gateway holds. Each container's copy carries the number of the last write in it (its LSN): a query
// says which one it needs, and one that the copy lags behind is answered 409 with the copy's own, so that the
// gateway sends what is missing. A process that has just started holds nothing and so lags behind everything.

"use strict";

const http = require("http");
const fs = require("fs");
const vm = require("vm");
const { createRequire } = require("module");

const [socket, server] = process.argv.slice(2);
const load = createRequire(fs.realpathSync(server));
const parse = load("@zeit/cosmosdb-query").default;
const functions = load("@zeit/cosmosdb-query/lib/builtin-functions");

// Functions of Cosmos DB that the library lacks, and arguments that its own do not take.
const text = (compare) => (a, b, ignoreCase) => {
  if (typeof a !== "string" || typeof b !== "string") return undefined;
  return ignoreCase ? compare(a.toLowerCase(), b.toLowerCase()) : compare(a, b);
};
functions.CONTAINS = text((a, b) => a.includes(b));
functions.STARTSWITH = text((a, b) => a.startsWith(b));
functions.ENDSWITH = text((a, b) => a.endsWith(b));
functions.STRINGEQUALS = text((a, b) => a === b);
functions.GETCURRENTTIMESTAMP = () => Date.now();
functions.GETCURRENTDATETIME = () => new Date().toISOString().replace("Z", "0000Z");

const containers = new Map();

const PAGE = /\s+OFFSET\s+(\d+|@\w+)\s+LIMIT\s+(\d+|@\w+)\s*$/i;
const DISTINCT = /^(\s*SELECT\s+)DISTINCT\s+(?:TOP\s+(\d+|@\w+)\s+)?/i;

function number(token, parameters) {
  if (!token.startsWith("@")) return Number(token);
  const found = parameters.find((parameter) => parameter.name === token);
  if (!found || !Number.isInteger(found.value) || found.value < 0) throw new Error(`${token} must be a natural number`);
  return found.value;
}

// The library knows neither OFFSET LIMIT nor DISTINCT: both are done on its results.
function prepare(sql, parameters) {
  const steps = [];
  const page = PAGE.exec(sql);
  if (page) {
    const offset = number(page[1], parameters);
    const limit = number(page[2], parameters);
    sql = sql.slice(0, page.index);
    steps.push((rows) => rows.slice(offset, offset + limit));
  }
  const distinct = DISTINCT.exec(sql);
  if (distinct) {
    sql = distinct[1] + sql.slice(distinct[0].length);
    const top = distinct[2] === undefined ? Infinity : number(distinct[2], parameters);
    steps.unshift((rows) => [...new Map(rows.map((row) => [JSON.stringify(row), row])).values()].slice(0, top));
  }
  return [parse(sql), (rows) => steps.reduce((result, step) => step(result), rows)];
}

// `keys` names the partition keys to look at, null all.
function query({ container, lsn, sql, parameters, keys, paths, composites }) {
  const copy = containers.get(container);
  if (!copy || copy.lsn < lsn) return [409, { lsn: copy ? copy.lsn : 0 }];
  const [prepared, finish] = prepare(sql, parameters);
  if (paths && !prepared.containsPartitionKeys(paths)) return [400, { crossPartition: true }];
  let documents = [...copy.documents.values()];
  if (keys !== null) {
    const wanted = new Set(keys);
    documents = documents.filter((entry) => wanted.has(entry.key));
  }
  const options = { parameters, compositeIndexes: composites };
  return [200, finish(prepared.exec(documents.map((entry) => entry.document), options).result)];
}

// Whether a condition ("FROM c WHERE …") holds for one document.
function test({ condition, document }) {
  return [200, parse(`SELECT * ${condition}`).exec([document], { parameters: [] }).result.length > 0];
}

// Keys are JSON arrays, so a key and an id make one name without a separator.
function update({ container, lsn, documents, removed }) {
  if (!containers.has(container)) containers.set(container, { lsn: 0, documents: new Map() });
  const copy = containers.get(container);
  for (const [key, id] of removed) copy.documents.delete(key + id);
  for (const [key, document] of documents) copy.documents.set(key + document.id, { key, document });
  copy.lsn = lsn;
  return [200, {}];
}

function forget({ container }) {
  containers.delete(container);
  return [200, {}];
}

// The library's parser takes time exponential in the nesting of parentheses: what takes longer is given up.
const MILLISECONDS = 5000;
const bounded = new vm.Script("work()");

function within(work) {
  globalThis.work = work;
  return bounded.runInThisContext({ timeout: MILLISECONDS });
}

const routes = { "/query": query, "/test": test, "/update": update, "/forget": forget, "/": () => [200, {}] };

http
  .createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      let answer;
      let spoilt = false;
      try {
        const body = chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : {};
        answer = within(() => routes[request.url](body));
      } catch (error) {
        // Cut off in the middle (time, stack) it may have left anything behind: a new process takes over.
        spoilt = error instanceof RangeError || error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
        answer = [400, { message: spoilt ? `the query is too complex (${error.message})` : String(error.message) }];
      }
      response.writeHead(answer[0], { "content-type": "application/json" });
      response.end(JSON.stringify(answer[1]), () => spoilt && process.exit(1));
    });
  })
  .listen(socket);
