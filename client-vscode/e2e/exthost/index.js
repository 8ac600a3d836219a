// VS Code's extension host loads this file and calls run(); mocha does the rest. The results go to
// the file that CACHEWISE_RESULTS names, since nobody sees what an extension host prints.
const path = require("node:path");
const Mocha = require("mocha");

exports.run = async () => {
  const mocha = new Mocha({
    ui: "bdd",
    timeout: 30_000,
    reporter: "json",
    reporterOptions: { output: process.env.CACHEWISE_RESULTS },
  });
  mocha.addFile(path.join(__dirname, "suite.js"));
  const failures = await new Promise((resolve) => mocha.run(resolve));
  if (failures > 0) throw new Error(`${failures} tests failed`);
};
