import { serve } from "./cli/serve.ts";

// Front step: what `switchyard serve` does too.
process.exit(await serve(process.env));
