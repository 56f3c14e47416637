// ESLint for our ES modules: https://eslint.org/docs/latest/use/configure/
import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["static/vendor/**", "var/**", "node_modules/**"] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-console": "error", // the browser tests fail on console errors, so nothing of ours belongs there
      "no-eval": "error",
      "no-implied-eval": "error", // nor would the Content-Security-Policy let it run
      "no-new-func": "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
    },
  },
  { files: ["static/**/*.js", "benchmarks/uppy/*.js"], languageOptions: { globals: globals.browser } },
  { files: ["static/**/*worker.js"], languageOptions: { globals: globals.worker } },
  { files: ["tests/js/**/*.js", "eslint.config.js"], languageOptions: { globals: globals.node } },
];
