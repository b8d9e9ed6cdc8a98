/** `npm run figures`: runs `figures.ts`, which Node 20 cannot read by itself. */
import { runnerImport } from "vite";

// Eleven browsers and servers, each with a listener for the end of this process.
process.setMaxListeners(50);
const { module } = await runnerImport(new URL("./figures.ts", import.meta.url).pathname, { configFile: false, logLevel: "error" });
await module.main(process.argv.slice(2));
// Whatever a failing measure left open must not keep the terminal.
process.exit();
