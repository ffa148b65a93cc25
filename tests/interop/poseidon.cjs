// Lists of decimal strings on stdin, circomlibjs' Poseidon of each on stdout. Packages come from the working folder.
const { readFileSync } = require("node:fs");
const { buildPoseidon } = require(require.resolve("circomlibjs", { paths: [process.cwd()] }));

buildPoseidon().then((poseidon) => {
  const lists = JSON.parse(readFileSync(0, "utf8"));
  const hash = (list) => poseidon.F.toString(poseidon(list.map(BigInt)));
  process.stdout.write(JSON.stringify(lists.map(hash)));
});
