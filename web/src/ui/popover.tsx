/**
 * A button and what it opens: the browser's own popover, so that Escape, a press elsewhere and
 * the way back of the focus are the browser's. Must not know what is inside.
 */
import { type ComponentChildren, type JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** Between a popover and the window's edge, in CSS pixels. */
const EDGE_PX = 12;

export interface PopoverProps {
  readonly id: string;
  /** What a screen reader calls the button, when its content does not say it. */
  readonly label?: string;
  readonly title?: string;
  readonly buttonClass: string;
  readonly face: ComponentChildren;
  /** What a screen reader calls the popover. */
  readonly name: string;
  /** It opened or closed. */
  readonly toggled?: (open: boolean) => void;
  readonly children: ComponentChildren;
}

export function Popover(props: PopoverProps): JSX.Element {
  const popover = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = popover.current;
    if (!element) return;
    // `beforetoggle` is in time for the content to be there when it opens.
    const heard = (event: ToggleEvent) => {
      // For those that open below their button, wherever it has scrolled to; its width is known when it
      // is there, before it is seen.
      if (event.newState === "open") requestAnimationFrame(() => {
        const left = element.previousElementSibling?.getBoundingClientRect().left ?? 0;
        const most = innerWidth - element.offsetWidth - EDGE_PX;
        element.style.setProperty("--button-left", `${Math.max(Math.min(Math.round(left), most), EDGE_PX)}px`);
      });
      props.toggled?.(event.newState === "open");
    };
    element.addEventListener("beforetoggle", heard);
    const focus = (event: ToggleEvent) => {
      if (event.newState === "open") element.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    };
    element.addEventListener("toggle", focus);
    return () => {
      element.removeEventListener("beforetoggle", heard);
      element.removeEventListener("toggle", focus);
    };
  }, [props.toggled]);
  return (
    <>
      <button type="button" class={props.buttonClass} aria-label={props.label} title={props.title} popovertarget={props.id}>
        {props.face}
      </button>
      <div class="popover" id={props.id} popover="auto" role="dialog" aria-label={props.name} ref={popover}>
        {props.children}
      </div>
    </>
  );
}

/** Closes the popover with this id, if it is open. */
export function closePopover(id: string): void {
  const element = document.getElementById(id);
  if (element?.matches(":popover-open")) element.hidePopover();
}
