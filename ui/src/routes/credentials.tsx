// /credentials and /credentials/:credential?open=add
import { getRouteApi, lazyRouteComponent } from "@tanstack/react-router";
import type { CredentialDialog } from "../features/credentials/credentials-page";

export const CredentialsPage = lazyRouteComponent(() => import("../features/credentials/credentials-page"), "CredentialsPage");

type CredentialsSearch = { open?: CredentialDialog };

export function credentialsSearch(search: Record<string, unknown>): CredentialsSearch {
  const { open } = search;
  return open === "add" || open === "import" ? { open } : {};
}

const list = getRouteApi("/credentials");
const one = getRouteApi("/credentials/$credential");

export function CredentialsRoute() {
  const { open = null } = list.useSearch();
  const navigate = list.useNavigate();
  return <CredentialsPage selected={null} open={open} onOpen={(next) => void navigate({ search: credentialsSearch({ open: next }), replace: true })} />;
}

export function CredentialRoute() {
  const { open = null } = one.useSearch();
  const navigate = one.useNavigate();
  return <CredentialsPage selected={one.useParams().credential} open={open} onOpen={(next) => void navigate({ search: credentialsSearch({ open: next }), replace: true })} />;
}
