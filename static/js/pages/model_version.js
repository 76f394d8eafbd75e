// Model version: the dialog that asks before its files are removed.
import { startDialogs } from "../lib/dialogs.js";

startDialogs();
