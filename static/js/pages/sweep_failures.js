// Sweep, failures: the server groups them; they come again whenever runs have ended.
import { startSweepPage } from "./sweep_head.js";

startSweepPage();
