// Greets everybody in a file.
import { progress, readText, valueInt } from "./skrei";

const NAMES = "/in/names.txt";
const FLAG = "--greeting=";

function main(): i32 {
  let greeting = "Hello";
  for (let at = 1; at < process.argv.length; at++) {
    if (process.argv[at].startsWith(FLAG)) greeting = process.argv[at].substring(FLAG.length);
  }
  const text = readText(NAMES);
  if (text == null) {
    console.error(NAMES + " cannot be read");
    return 1;
  }
  const lines = text.split("\n");
  let greeted = 0;
  for (let at = 0; at < lines.length; at++) {
    const name = lines[at].trim();
    if (name.length == 0) continue;
    progress(<f64>at / <f64>lines.length, name);
    console.log(greeting + ", " + name + "!");
    greeted++;
  }
  valueInt("greeted", greeted);
  return 0;
}

process.exit(main());
