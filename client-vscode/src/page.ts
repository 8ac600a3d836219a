/** What a page may do in a webview: be looked at. No script, nothing from the disk or the network. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/**
 * A page of the server in the editor's own colours: in a webview, what a page knows of light and dark
 * is the system's choice and not the theme's.
 *
 * The policy is added here too, whatever the page says of itself; of two policies both hold.
 */
export function inEditorColors(html: string): string {
  const head = "<head>";
  const at = html.indexOf(head);
  const end = html.indexOf("</head>");
  if (at < 0 || end < at) throw new Error("the server's page has no head");
  const policy = `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`;
  return [
    html.slice(0, at + head.length),
    policy,
    html.slice(at + head.length, end),
    `<style>${COLORS}</style>`,
    html.slice(end),
  ].join("");
}

const COLORS = `
:root {
  --ink: var(--vscode-editor-foreground);
  --paper: var(--vscode-editor-background);
  --line: var(--vscode-editorWidget-border, var(--vscode-contrastBorder, currentColor));
  --soft: var(--vscode-textCodeBlock-background);
  --read: var(--vscode-charts-green);
  --write: var(--vscode-charts-yellow);
  --plain: var(--vscode-charts-lines);
}
body { margin: 1rem auto; font-family: var(--vscode-font-family); }
body.vscode-dark, body.vscode-high-contrast { color-scheme: dark; }
body.vscode-light, body.vscode-high-contrast-light { color-scheme: light; }
code, pre { color: inherit; font-family: var(--vscode-editor-font-family, monospace); }
`;
