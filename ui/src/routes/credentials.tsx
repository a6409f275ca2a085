// /credentials and /credentials/:credential
import { getRouteApi } from "@tanstack/react-router";
import { CredentialsPage } from "../features/credentials/credentials-page";

const one = getRouteApi("/credentials/$credential");

export function CredentialsRoute() {
  return <CredentialsPage selected={null} />;
}

export function CredentialRoute() {
  return <CredentialsPage selected={one.useParams().credential} />;
}
