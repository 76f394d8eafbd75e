import assert from "node:assert/strict";
import { test } from "node:test";

import { commandsOf } from "../../static/js/lib/commands.js";

test("prompts and answers stay behind", () => {
  assert.equal(commandsOf("$ make up\nSweep Studio is at …\n$ ls\n"), "make up\nls\n");
});

test("a command goes on after a backslash and up to the end of a document", () => {
  const session = "$ studio submit a.yaml \\\n    --wait\nHD_1\n$ cat > a <<'END'\none\n\nEND\nanswer\n";
  assert.equal(commandsOf(session), "studio submit a.yaml \\\n    --wait\ncat > a <<'END'\none\n\nEND\n");
});

test("what has no prompts is copied whole", () => {
  const script = "studio list\n# two\nstudio show $SWEEP\n";
  assert.equal(commandsOf(script), script);
});
