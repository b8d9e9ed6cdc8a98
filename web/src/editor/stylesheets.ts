/**
 * Lets CodeMirror's styles in under `style-src 'self'`. Must not know which styles.
 *
 * CodeMirror's own style module writes `<style>` elements, which such a policy blocks; it takes
 * constructable stylesheets, which the policy allows, only inside shadow roots. Its one place of
 * entry is a static function, so that is what is replaced here. Call before the first editor.
 */
import { StyleModule } from "style-mod";

interface Adopted {
  readonly sheet: CSSStyleSheet;
  modules: readonly StyleModule[];
}

const adopted = new WeakMap<Document | ShadowRoot | DocumentOrShadowRoot, Adopted>();

export function adoptEditorStyles(): void {
  StyleModule.mount = (root, mounted) => {
    const modules = mounted instanceof StyleModule ? [mounted] : mounted;
    let entry = adopted.get(root);
    if (!entry) {
      entry = { sheet: new CSSStyleSheet(), modules: [] };
      adopted.set(root, entry);
      root.adoptedStyleSheets.push(entry.sheet);
    }
    // Later rules win, in the order of the newest caller; what only earlier ones asked for stays.
    const merged = [...entry.modules.filter((module) => !modules.includes(module)), ...modules];
    if (merged.length === entry.modules.length && merged.every((module, i) => module === entry.modules[i])) return;
    entry.modules = merged;
    entry.sheet.replaceSync(merged.map((module) => module.getRules()).join("\n"));
  };
}
