/** Files of many lines, written in blocks. */
import { closeSync, openSync, writeSync } from 'node:fs';

const BLOCK_CHARACTERS = 1024 * 1024;

/** A file that lines are added to. */
export interface Lines {
  line(text: string): void;
  close(): void;
}

/** Opens a file for lines; what was in it is gone. */
export function linesInto(path: string): Lines {
  const file = openSync(path, 'w');
  let block = '';
  const send = () => {
    writeSync(file, block);
    block = '';
  };
  return {
    line(line) {
      block += `${line}\n`;
      if (block.length >= BLOCK_CHARACTERS) send();
    },
    close() {
      send();
      closeSync(file);
    },
  };
}
