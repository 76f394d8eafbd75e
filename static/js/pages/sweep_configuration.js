// Sweep, configuration: nothing here changes but the header.
import { startSweepPage } from "./sweep_head.js";

startSweepPage();
