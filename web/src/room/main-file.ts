/** The file that every room has. Must not know the others. */
export const MAIN_FILE = "main";
