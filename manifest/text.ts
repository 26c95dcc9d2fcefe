/** stub */
export const stub = 1;
