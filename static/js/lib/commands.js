// What of a shell session is typed. Pure.

/**
 * Returns the commands of a session, without prompts and answers; all of it where nothing has a prompt.
 * A line goes on after a backslash, and a document up to the line that ends it.
 */
export function commandsOf(text) {
  const lines = text.split("\n");
  if (!lines.some((line) => line.startsWith("$ "))) return text;
  const typed = [];
  let goesOn = false;
  let end = "";
  for (const line of lines) {
    const isTyped = line.startsWith("$ ");
    if (!isTyped && !goesOn && !end) continue;
    const command = isTyped ? line.slice(2) : line;
    typed.push(command);
    if (end) {
      if (command === end) end = "";
      continue;
    }
    goesOn = command.endsWith("\\");
    end = /<<-?\s*'?"?(\w+)/.exec(command)?.[1] ?? "";
  }
  return `${typed.join("\n")}\n`;
}
