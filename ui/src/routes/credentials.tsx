// /credentials and /credentials/:credential
import { getRouteApi } from "@tanstack/react-router";
import { lazy } from "react";

const CredentialsPage = lazy(() => import("../features/credentials/credentials-page").then(({ CredentialsPage: page }) => ({ default: page })));

const one = getRouteApi("/credentials/$credential");

export function CredentialsRoute() {
  return <CredentialsPage selected={null} />;
}

export function CredentialRoute() {
  return <CredentialsPage selected={one.useParams().credential} />;
}
