/** The few ways in which the wizard asks, each on stderr, and one way out of all of them. */
import { checkbox, confirm, Separator, select } from '@inquirer/prompts';
import type { Io } from '../io.js';
import { type Look, wrap } from '../look.js';
import { type FieldQuestion, fieldPrompt } from './field-prompt.js';

export interface Choice<T> {
  value: T;
  name: string;
  /** What stands there once it is chosen; default the name. */
  short?: string;
  /** Shown while the cursor is on it. */
  description?: string;
  /** Opens a group of choices. */
  heading?: string | undefined;
}

export interface Prompter {
  field(question: FieldQuestion): Promise<string>;
  one<T extends string>(message: string, choices: readonly Choice<T>[], first?: T): Promise<T>;
  /** `refuse` says why a selection is not one. */
  several(
    message: string,
    choices: readonly (Choice<string> & { checked: boolean })[],
    refuse: (names: readonly string[]) => string | undefined,
  ): Promise<string[]>;
  yes(message: string, first: boolean): Promise<boolean>;
}

/** Thrown by every prompt that is left: by Ctrl-C, Ctrl-D, or a terminal that is gone. */
export class Left {}

export function prompterOf(io: Io, look: Look): Prompter {
  const { theme } = look;

  /** inquirer never settles a prompt that Ctrl-D closes; then nothing keeps the process, which is the sign. */
  const ask = async <T>(prompt: (context: object) => Promise<T>): Promise<T> => {
    const gone = new AbortController();
    const leave = () => gone.abort();
    process.once('beforeExit', leave);
    try {
      return await prompt({ input: io.stdin, output: io.stderr, signal: gone.signal });
    } catch (error) {
      if (error instanceof Error && /^(?:Exit|Abort)PromptError$/.test(error.name)) throw new Left();
      throw error;
    } finally {
      process.off('beforeExit', leave);
    }
  };
  // What stands around a list has nine lines at most; a taller prompt could not be written over.
  const page = () => Math.max(4, look.rows() - 9);
  const below = (text: string) =>
    wrap(look.text(text), look.columns() - 3)
      .map((line) => `  ${line}`)
      .join('\n');
  const shown = <T>({ value, name, short, description }: Choice<T>) => ({
    value,
    name: wrap(look.text(name), look.columns() - 3).join('\n  '),
    short: look.text(short ?? name),
    ...(description === undefined ? {} : { description: below(description) }),
  });

  return {
    field: (question) => ask((context) => fieldPrompt({ ...question, look }, context)),
    one: (message, choices, first) =>
      ask((context) =>
        select(
          {
            message,
            choices: choices.flatMap((choice) => [
              ...(choice.heading === undefined ? [] : [new Separator(look.dim(choice.heading))]),
              shown(choice),
            ]),
            pageSize: page(),
            loop: false,
            theme,
            ...(first === undefined ? {} : { default: first }),
          },
          context,
        ),
      ),
    several: (message, choices, refuse) =>
      ask((context) =>
        checkbox(
          {
            message,
            choices: choices.map((choice) => ({ ...shown(choice), checked: choice.checked })),
            validate: (chosen) => refuse(chosen.map(({ value }) => value)) ?? true,
            pageSize: page(),
            loop: false,
            // A letter that ticks everything is a trap where each tick is one more question.
            shortcuts: { all: null, invert: null },
            theme,
          },
          context,
        ),
      ),
    yes: (message, first) => ask((context) => confirm({ message, default: first, theme }, context)),
  };
}
