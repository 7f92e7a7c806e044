/** One entry per field that was refused. `pointer` is a JSON pointer into the body, query or path. */
export interface FieldIssue {
  readonly field: string
  readonly pointer: string
  readonly code: string
  readonly message: string
  readonly suggestion?: string
}

export interface ProblemDefinition {
  readonly status: number
  /** UPPER_SNAKE_CASE; also the last segment of the problem's page, in kebab-case. */
  readonly code: string
  readonly title: string
  /** What to do about it; shown on the problem's page. */
  readonly advice?: string
  /** Whether the same request may succeed later unchanged. */
  readonly retryable?: boolean
}

export interface ProblemDetails {
  readonly detail?: string
  readonly errors?: readonly FieldIssue[]
  readonly retryAfterSeconds?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/** Every error that is an answer. Anything else that is thrown is a defect and answers 500. */
export class AppError extends Error {
  readonly definition: ProblemDefinition
  readonly details: ProblemDetails
  readonly statusCode: number
  readonly code: string
  /** True: an expected outcome. False: a defect, logged with its stack. */
  readonly isOperational: boolean

  constructor(definition: ProblemDefinition, details: ProblemDetails = {}) {
    super(details.detail ?? definition.title, { cause: details.cause })
    this.name = definition.code
    this.definition = definition
    this.details = details
    this.statusCode = definition.status
    this.code = definition.code
    this.isOperational = definition.status !== 500
  }
}

export interface ProblemClass {
  new (details?: ProblemDetails): AppError
  readonly definition: ProblemDefinition
}

/** What came of something that may be refused: its value, or the problem it threw. */
export type Outcome<T> = { readonly value: T } | { readonly problem: AppError }

/** Where one refusal must not end the rest: what `run` returns, or the problem it throws. Defects pass through. */
export function outcomeOf<T>(run: () => T): Outcome<T> {
  try {
    return { value: run() }
  } catch (error) {
    if (error instanceof AppError && error.isOperational) return { problem: error }
    throw error
  }
}

const catalogue = new Map<string, ProblemDefinition>()

/** Declares a problem once: to throw, to document on a route, and to show on its page. */
export function defineProblem(definition: ProblemDefinition): ProblemClass {
  if (catalogue.has(definition.code)) throw new Error(`problem ${definition.code} is defined twice`)
  catalogue.set(definition.code, definition)
  return class extends AppError {
    static readonly definition = definition
    constructor(details?: ProblemDetails) {
      super(definition, details)
    }
  }
}

/** All declared problems, by code. */
export const problemCatalogue = (): readonly ProblemDefinition[] =>
  [...catalogue.values()].sort((a, b) => (a.code < b.code ? -1 : 1))

export const problemSlug = (definition: ProblemDefinition): string => definition.code.toLowerCase().replaceAll('_', '-')
