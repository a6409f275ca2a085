// Buttons: one filled per view; inert ones stay reachable and say why.
import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";

type Kind = "plain" | "primary" | "ghost" | "danger" | "icon";

const KINDS: Record<Kind, string> = {
  plain: "border-line-button bg-surface text-t1 hover:bg-hover",
  primary: "border-accent bg-accent text-on-accent",
  ghost: "border-transparent bg-transparent text-t2 hover:bg-hover",
  danger: "border-transparent bg-transparent text-deny hover:bg-hover",
  icon: "border-transparent bg-transparent text-t2 hover:bg-hover",
};

const INERT = "border-line bg-inset text-t3";

export type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "disabled"> & {
  kind?: Kind;
  /** Dialog and card size. */
  large?: boolean;
  /** Cannot be pressed now, but can be reached and read. */
  inert?: boolean;
  ref?: Ref<HTMLButtonElement>;
  children: ReactNode;
};

export function Button({ kind = "plain", large = false, inert = false, className = "", onClick, children, ...rest }: ButtonProps) {
  const height = large ? "h-8" : "h-7";
  const width = kind === "icon" ? (large ? "w-8" : "w-7") : large ? "px-3" : kind === "ghost" ? "px-2" : "px-2.5";
  return (
    <button
      type="button"
      aria-disabled={inert || undefined}
      onClick={inert ? (event) => event.preventDefault() : onClick}
      className={`chrome inline-flex flex-none items-center justify-center gap-1.5 rounded-control border font-medium whitespace-nowrap transition-colors duration-(--fast) ${height} ${width} ${inert ? INERT : KINDS[kind]} ${className}`}
      {...rest}
    >
      {children}
    </button>
  );
}
