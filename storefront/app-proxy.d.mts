export function appProxy(): string;
