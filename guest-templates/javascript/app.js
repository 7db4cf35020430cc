// Greets everybody in a file.
import { param, program, progress, readText, value } from "./skrei.js";

export const run = program(() => {
  const greeting = param("greeting", "Hello");
  const names = readText(param("names", "/in/names.txt"))
    .split("\n")
    .map((name) => name.trim())
    .filter((name) => name);
  names.forEach((name, done) => {
    progress(done / names.length, name);
    console.log(`${greeting}, ${name}!`);
  });
  value("greeted", names.length);
});
