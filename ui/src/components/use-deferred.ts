// Something that is only true once it has lasted: nothing flickers under 150 ms.
import { useEffect, useState } from "react";

export function useDeferred(value: boolean, afterMs: number): boolean {
  const [lasted, setLasted] = useState(false);
  useEffect(() => {
    if (!value) return;
    const timer = setTimeout(() => setLasted(true), afterMs);
    return () => {
      clearTimeout(timer);
      setLasted(false);
    };
  }, [value, afterMs]);
  return value && lasted;
}
