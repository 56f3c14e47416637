/** Uppy as benchmarks/upload.py drives it: `window.peer` is the promise of the seconds that it took. */

import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";

const ITEMS_A_CALL = 100;

/** The calls of Satchel's API that every client has to make; `settings` has `apiUrl`, `token` and `groupId`. */
function apiOf({ apiUrl, token, groupId }) {
  const call = async (path, body) => {
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    const answer = await fetch(`${apiUrl}/${path}`, { method: "POST", headers, body });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
    return answer.json();
  };
  const fileIds = [];
  return {
    /** Uppy asks for one URL a file. */
    async signRequest() {
      const [{ fileId, url }] = await call(`files/request-upload?groupId=${groupId}`);
      fileIds.push(fileId);
      return { url };
    },
    /** Says that all were sent, with as few calls as there can be. */
    async complete() {
      for (let start = 0; start < fileIds.length; start += ITEMS_A_CALL) {
        const items = fileIds.slice(start, start + ITEMS_A_CALL).map((fileId) => ({ fileId }));
        await call("files/complete-upload", JSON.stringify(items));
      }
    },
  };
}

/** From the choice of the files to the last of them uploaded. */
async function upload(files, { api, awsS3 }) {
  const start = performance.now();
  const satchel = api ? apiOf(api) : null;
  const options = satchel
    ? { signRequest: satchel.signRequest }
    : { ...awsS3, getCredentials: () => awsS3.temporary };
  const uppy = new Uppy().use(AwsS3, options);
  uppy.addFiles(files.map((data) => ({ name: data.name, type: data.type, data, source: "bench" })));
  const { successful, failed } = await uppy.upload();
  if (failed.length || successful.length !== files.length) throw new Error(`${failed.length} files failed`);
  await satchel?.complete();
  return (performance.now() - start) / 1000;
}

/** Waits for files to be chosen. */
window.prepare = (settings) => {
  const input = document.querySelector("#files");
  window.peer = new Promise((resolve) => {
    input.addEventListener("change", () => resolve(upload([...input.files], settings)), { once: true });
  });
};
