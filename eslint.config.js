// The viewer's JavaScript and what tests and measures it: mistakes, and what would let a text become markup or code.
// Types are TypeScript's to check (tsconfig.json).

import js from "@eslint/js";
import globals from "globals";

const VIEWER = "src/attnscope/render/viewer/**/*.js";
const WORKER = "src/attnscope/render/viewer/**/worker.js";
const MARKUP = "A text enters the page by textContent or createElement: hostile text is normal.";
const markup = (property) => ({ property, message: MARKUP });

export default [
  { ignores: ["**/.venv*/", "**/node_modules/", "build/"] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      // Control characters are looked for on purpose: they are drawn as signs.
      "no-control-regex": "off",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-restricted-properties": [
        "error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML", "setHTMLUnsafe", "srcdoc"].map(markup),
        ...["createContextualFragment", "parseFromString"].map(markup),
        { object: "document", property: "write", message: MARKUP },
        { object: "document", property: "writeln", message: MARKUP },
      ],
      "no-restricted-syntax": [
        "error",
        {
          selector: "CallExpression[callee.property.name='setAttribute'][arguments.0.value=/^(style|srcdoc|on.*)$/i]",
          message: "The page's policy forbids style and event attributes: use a class or addEventListener.",
        },
        { selector: "ImportExpression", message: "A page opened from disk can import nothing: import at the top." },
      ],
      "no-unused-vars": ["error", { args: "all", argsIgnorePattern: "^_", caughtErrors: "all" }],
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  { files: [VIEWER], ignores: [WORKER], languageOptions: { globals: globals.browser } },
  { files: [WORKER], languageOptions: { globals: globals.worker } },
  { files: ["tests/viewer/**/*.js", "eslint.config.js"], languageOptions: { globals: globals.node } },
  {
    files: ["benchmarks/viewer.js", "docs/site/**/*.js"],
    languageOptions: { sourceType: "script", globals: globals.browser },
  },
];
