/** Where each service listens, by its name: what the apps' package.json say (`"deploy": { "port": 8081 }`). */
export type Ports = Readonly<Record<string, number>>;

/** A spec of which is known where it listens. */
export type Placed<T> = T & { port: number };

export function place<T extends { name: string; app?: string }>(spec: T, ports: Ports): Placed<T> {
  return { ...spec, port: portOf(spec.app ?? spec.name, ports) };
}

/** @throws when nobody named it: a service that isn't deployed can't be called either */
export function portOf(name: string, ports: Ports): number {
  const port = ports[name];
  if (port === undefined) throw new Error(`${name} has no port: its app's package.json needs "deploy": { "port": … }`);
  return port;
}
