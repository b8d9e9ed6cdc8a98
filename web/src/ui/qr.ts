/** A QR code as one path of an SVG. Fetched when somebody wants to share. Must not know the page. */
import { encode } from "uqr";

/** Light modules around the code, which readers need (ISO/IEC 18004 asks for 4). */
const QUIET_ZONE = 4;

export interface Code {
  /** Modules along each side, with the quiet zone: the side of the view box. */
  readonly size: number;
  /** The dark modules, one unit each. */
  readonly path: string;
}

/** Error correction "M": 15 % of the code may be damaged. */
export function codeOf(text: string): Code {
  const { data, size } = encode(text, { ecc: "M", border: QUIET_ZONE });
  const dark = data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])));
  return { size, path: dark.join("") };
}
