// /credentials and /credentials/:credential
import { getRouteApi, lazyRouteComponent } from "@tanstack/react-router";

export const CredentialsPage = lazyRouteComponent(() => import("../features/credentials/credentials-page"), "CredentialsPage");

const one = getRouteApi("/credentials/$credential");

export function CredentialsRoute() {
  return <CredentialsPage selected={null} />;
}

export function CredentialRoute() {
  return <CredentialsPage selected={one.useParams().credential} />;
}
