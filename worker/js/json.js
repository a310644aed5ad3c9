// Values as JSON has them.

/** Whether a value is an object, and no list. */
export const isMap = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
