// What is known of a credential's age, from what the engine tells of it.
import type { CredentialDto } from "../../engine/bindings/CredentialDto";

/** Whether the secret is as old as its reminder says. */
export function rotationDue({ rotateDays, rotatedAt, addedAt }: CredentialDto, now: number): boolean {
  return rotateDays !== undefined && Date.parse(rotatedAt ?? addedAt) + rotateDays * 86_400_000 <= now;
}
