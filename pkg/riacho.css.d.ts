// So that TypeScript lets the style sheet be imported where the bundler brings no types for it.
export {};
