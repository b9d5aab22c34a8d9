// Loaded before Azurite (`node -r`): an answer is sent only when what it acknowledges is on disk.
//
// Azurite keeps its indexes in LokiJS, which it saves every five seconds; killed in between, it would forget
// messages and blobs that clients were told are stored. LokiJS saves a whole index at once (a new file, then
// a rename), so the cost of a write grows with the index: a few milliseconds at the sizes of a rehearsal.
"use strict";

const { createRequire } = require("node:module");
const { realpathSync } = require("node:fs");
const http = require("node:http");

const Loki = createRequire(realpathSync(process.argv[1]))("lokijs");
const databases = new Set();

const enable = Loki.prototype.autosaveEnable;
Loki.prototype.autosaveEnable = function (...given) {
  databases.add(this);
  return enable.apply(this, given);
};

function save(database) {
  // A save under way may hold the change already, and has to end too.
  if (!database.autosaveDirty() && !database.throttledSavePending) {
    return undefined;
  }
  return new Promise((resolve) => {
    database.saveDatabase((error) => {
      if (error) {
        console.error(`could not save ${database.filename}: ${error}`);
      }
      resolve();
    });
  });
}

const emit = http.Server.prototype.emit;
http.Server.prototype.emit = function (event, request, response, ...rest) {
  if (event === "request") {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.cork(); // what is written before the end waits for it
    }
    const end = response.end;
    response.end = function (...given) {
      response.end = end;
      Promise.all([...databases].map(save)).then(() => end.apply(response, given));
      return response;
    };
  }
  return emit.call(this, event, request, response, ...rest);
};
