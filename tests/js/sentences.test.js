import assert from "node:assert/strict";
import { test } from "node:test";

import {
  announcementOf,
  detailOf,
  holdReason,
  noticesOf,
  paceOf,
  shortfallOf,
  sizeOf,
  stateOf,
  summaryOf,
} from "../../static/files/sentences.js";
import { initialState, reduce } from "../../static/files/state.js";

const broken = { code: "request_failed", detail: "The server said no." };

/** A widget with a file of 1 MB for each status. */
function widget(...wanted) {
  let state = initialState();
  wanted.forEach((status, index) => {
    const key = `${index}.gz`;
    const items = [{ key, path: key, size: 1e6, modified: 1 }];
    state = reduce(state, { type: "added", items });
    if (status === "uploading") state = reduce(state, { type: "progress", key, sentBytes: 0.5e6 });
    if (status === "uploaded" || status === "verified")
      state = reduce(state, { type: "uploaded", key, fileId: key });
    if (status === "verified") state = reduce(state, { type: "verified", key });
    if (status === "failed") state = reduce(state, { type: "failed", key, problem: broken });
  });
  return state;
}

test("each state is told in words", () => {
  const row = { status: "queued", size: 1000, sentBytes: 0, recognised: 0, note: "" };
  assert.equal(stateOf(row), "Waiting");
  assert.equal(stateOf({ ...row, status: "uploading", sentBytes: 459 }), "Uploading, 45 %");
  assert.equal(stateOf({ ...row, status: "uploading", sentBytes: 1000 }), "Finishing");
  assert.equal(stateOf({ ...row, status: "uploading", size: 0 }), "Finishing");
  assert.equal(
    stateOf({ ...row, status: "uploading", note: "Connection lost, trying again" }),
    "Connection lost, trying again",
  );
  assert.equal(stateOf({ ...row, status: "uploaded" }), "Uploaded, verifying");
  assert.equal(
    stateOf({ ...row, status: "uploaded", note: "Cannot be followed." }),
    "Uploaded. Cannot be followed.",
  );
  assert.equal(stateOf({ ...row, status: "verified" }), "Verified");
  assert.equal(stateOf({ ...row, status: "failed" }), "Failed");
});

test("what the server had before is told, and that only the rest is sent", () => {
  const row = { status: "uploading", size: 1000, sentBytes: 400, recognised: 400, note: "" };
  assert.equal(stateOf(row), "Recognised, only the rest is sent, 40 %");
  assert.equal(stateOf({ ...row, sentBytes: 1000 }), "Finishing");
  const here = { ...row, sentBytes: 1000, recognised: 1000 };
  assert.equal(stateOf(here), "Already here, comparing");
  assert.equal(stateOf({ ...here, status: "uploaded" }), "Already here, verifying");
  assert.equal(stateOf({ ...here, status: "verified" }), "Already here, verified");
});

test("what takes long tells how much of it has gone, how fast it goes, and when it ends", () => {
  const row = { status: "uploading", size: 64e6, sentBytes: 16e6 };
  assert.equal(sizeOf(row), "16.0 of 64.0 MB");
  assert.equal(sizeOf({ ...row, status: "verified" }), "64.0 MB");
  assert.equal(sizeOf({ ...row, sentBytes: 64e6 }), "64.0 MB");
  assert.equal(paceOf(row, 1e6), "1.0 MB/s · about 50 seconds left");
  assert.equal(paceOf(row, 10e6), "");
  assert.equal(paceOf(row, null), "");
});

test("what all files wait for is told once, above them", () => {
  const note = "Offline, waiting for the network";
  const state = widget("uploaded", "uploading", "uploading");
  const notes = (...keys) => keys.reduce((before, key) => reduce(before, { type: "note", key, note }), state);
  assert.match(summaryOf(notes("1.gz", "2.gz"), 50_000), /2\.0 of 3\.0 MB · Offline, waiting for the network$/);
  assert.match(summaryOf(notes("1.gz"), 50_000), / left$/);
  assert.equal(announcementOf(state, notes("1.gz", "2.gz")), `${note}.`);
  assert.equal(announcementOf(notes("1.gz", "2.gz"), notes("1.gz", "2.gz")), "");
});

test("files whose plan is not complete are told to wait, and hold submit", () => {
  const waiting = (paths) => ({ isComplete: false, places: new Map(paths.map((path) => [path, { entry: null, problem: null }])) });
  const state = reduce(initialState({}, waiting), {
    type: "added",
    items: [{ key: "a", path: "s/a", size: 2e6, modified: 1 }],
  });
  assert.equal(summaryOf(state), "1 file · 2.0 MB · not uploaded yet");
  assert.match(holdReason([state]), /until 1 file is uploaded: s\/a\. Uploading starts once the preview of the files has no problem\.$/);
  assert.equal(announcementOf(initialState(), state), "");
  const failed = reduce(state, { type: "failed", key: "a", problem: broken });
  assert.match(announcementOf(state, failed), /^s\/a failed: /);
  const begun = reduce(state, { type: "started", key: "a" });
  assert.doesNotMatch(holdReason([begun]), /starts once/);
  const ready = reduce(state, { type: "planned", planner: (paths) => ({ ...waiting(paths), isComplete: true }) });
  assert.equal(announcementOf(state, ready), "Uploading 1 file.");
  assert.doesNotMatch(holdReason([ready]), /preview/);
});

test("what is wrong says where, once", () => {
  const own = true;
  assert.equal(detailOf({ detail: "It is cut.", line: 1200, offset: 3400, own }), "It is cut. Line 1,200. Byte 3,400.");
  assert.equal(detailOf({ detail: "Line 1, in record 1, is long.", line: 1, own }), "Line 1, in record 1, is long.");
  assert.equal(detailOf({ detail: "Line 12 is long.", line: 1, own }), "Line 12 is long. Line 1.");
  assert.equal(detailOf({ detail: "It ends after 1,200 bytes.", offset: 1200, own }), "It ends after 1,200 bytes.");
  assert.equal(detailOf({ detail: "It ends after 1,200 bytes.", offset: 200, own }), "It ends after 1,200 bytes. Byte 200.");
  assert.equal(detailOf({ detail: "It is empty.", own }), "It is empty.");
});

test("what to do about a file that will not do is said, unless it is said already or to try again may help", () => {
  const advice = "Discard it, or choose a file of the same name in its place.";
  assert.equal(detailOf({ detail: "It is cut." }), `It is cut. ${advice}`);
  assert.equal(detailOf({ detail: "It was moved. Choose it again." }), "It was moved. Choose it again.");
  assert.equal(detailOf({ detail: "No connection.", retryable: true }), "No connection.");
});

test("the form is held in the words of its button", () => {
  assert.equal(holdReason([widget("uploading")], "Save").split(" until")[0], "Save is held");
  assert.equal(holdReason([widget("failed")], "Save").split(":")[0], "Save is held");
});

test("the summary says how far it is", () => {
  assert.equal(summaryOf(widget()), "");
  assert.equal(
    summaryOf(widget("uploaded", "uploading", "queued"), 50_000),
    "1 of 3 files uploaded · 1.5 of 3.0 MB · 50.0 kB/s · about 30 seconds left",
  );
  assert.equal(
    summaryOf(widget("uploading", "failed")),
    "0 of 2 files uploaded · 1 failed · 0.5 of 1.0 MB",
  );
});

test("the summary says what is done", () => {
  assert.equal(
    summaryOf(widget("uploaded", "verified", "verified")),
    "3 files uploaded, 2 verified · 3.0 MB",
  );
  assert.equal(summaryOf(widget("uploaded")), "1 file uploaded · 1.0 MB");
  assert.equal(summaryOf(widget("verified")), "1 file uploaded and verified · 1.0 MB");
  assert.equal(summaryOf(widget("failed", "failed")), "2 failed");
});

test("what was left out is told, and that a group is missing", () => {
  const items = ["a", ".x", "b/.y", "b/.z", "b/.q"].map((path) => ({
    key: path,
    path,
    size: 1,
    modified: 1,
  }));
  const state = reduce(initialState(), { type: "added", items });
  assert.deepEqual(noticesOf(state, { hasGroup: true }), [
    "4 hidden files left out: .x, b/.y, b/.z and 1 more.",
  ]);
  const hidden = reduce(initialState({}, () => ({ isComplete: false, places: new Map() })), { type: "added", items: items.slice(1) });
  assert.match(noticesOf(hidden, { hasGroup: true })[0], /^4 hidden files left out/);
  assert.match(noticesOf(state, { hasGroup: false }).at(-1), /Choose a group/);
  const again = reduce(state, { type: "added", items: items.slice(0, 1) });
  assert.equal(noticesOf(again, { hasGroup: true }).at(-1), "1 file was here already.");
});

test("a screen reader hears of start, end and failures, and of many failures once", () => {
  const start = widget("uploading", "uploading");
  assert.equal(announcementOf(widget(), start), "Uploading 2 files.");
  assert.equal(announcementOf(start, widget("uploading", "uploaded")), "");
  assert.equal(announcementOf(start, widget("uploaded", "uploaded")), "2 files uploaded.");
  assert.equal(announcementOf(start, widget("uploading", "failed")), "1.gz failed: The server said no.");
  assert.equal(
    announcementOf(widget("failed", "uploading"), widget("failed", "uploaded")),
    "1 file uploaded.",
  );
  assert.equal(announcementOf(start, widget("failed", "failed")), "2 files failed: 0.gz, 1.gz.");
  assert.equal(announcementOf(widget("uploaded", "uploaded"), widget("verified", "uploaded")), "");
  assert.equal(
    announcementOf(widget("uploaded", "uploaded"), widget("verified", "verified")),
    "All files verified.",
  );
  assert.equal(announcementOf(widget("verified"), widget("verified")), "");
  assert.equal(announcementOf(widget("verified"), widget("verified", "verified")), "All files verified.");
  assert.equal(announcementOf(widget("verified", "verified"), widget("verified")), "");
});

test("submit is held while files are missing, over all widgets, and says which", () => {
  assert.equal(holdReason([widget(), widget("uploaded", "verified")]), "");
  assert.equal(holdReason([widget("queued")]), "Submit is held until 1 file is uploaded: 0.gz.");
  assert.equal(
    holdReason([widget("uploading"), widget("uploaded", "queued")]),
    "Submit is held until 2 files are uploaded: 0.gz, 1.gz.",
  );
  assert.equal(
    holdReason([widget("failed")]),
    "Submit is held: 1 file failed, to be discarded or replaced: 0.gz.",
  );
  assert.match(holdReason([widget("failed", "queued")]), /^Submit is held until 1 file .* 1 file failed/);
});

test("a category that wants more files than there are says so", () => {
  const need = (count, rules) =>
    shortfallOf({ ...widget(...Array(count).fill("uploaded")), rules }, "Raw reads");
  assert.equal(need(0, { required: false, minFiles: 2 }), "");
  assert.equal(need(0, { required: true, minFiles: 1 }), "Raw reads needs at least 1 file.");
  assert.equal(need(1, { required: false, minFiles: 2 }), "Raw reads needs at least 2 files, and has 1.");
  assert.equal(need(2, { required: true, minFiles: 2 }), "");
  assert.match(need(2, { pairing: true, minFiles: 2 }), /not named as read 1 and read 2/);
});

test("a category that each entry needs names those without", () => {
  const planner = () => ({ isComplete: false, places: new Map(), missing: ["s1", "s2"] });
  const needed = initialState({ required: true }, planner);
  assert.equal(shortfallOf(needed, "Raw reads"), "Raw reads is required, and 2 entries have no files there: s1, s2.");
  assert.equal(shortfallOf(initialState({ required: false }, planner), "Raw reads"), "");
});
