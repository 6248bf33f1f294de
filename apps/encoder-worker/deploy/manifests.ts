import { type Manifests, type Target, type WorkerSpec, workerManifests } from "@kinora/kubernetes";
import { environments } from "./environments.ts";

/** The workers in Kubernetes: a fleet on CPUs, and one on GPUs where the environment has them. */
export function manifests(target: Target): Manifests {
  const { cpu, gpu } = environments[target.environment.name];
  const fleets = [
    workerManifests(onCpus(target, cpu.max), target),
    ...(gpu ? [workerManifests(onGpus(target, gpu.max), target)] : []),
  ];
  return {
    before: fleets.flatMap((fleet) => fleet.before),
    objects: fleets.flatMap((fleet) => fleet.objects),
  };
}

/** Probes, sound, checks and pictures are done by whoever has a CPU. A slot for each core, with 1.5 GiB of memory: what a worker would choose itself, but the number of replicas goes by it. */
function onCpus(target: Target, max: number): WorkerSpec {
  return {
    ...fleet(target, "encoder-worker", ["media.light", "encode.cpu"]),
    slots: 4,
    resources: { cpu: "4", memory: "6Gi", ephemeralStorage: "12Gi" },
    replicas: { max },
  };
}

function onGpus(target: Target, max: number): WorkerSpec {
  return {
    ...fleet(target, "encoder-worker-gpu", ["encode.nvenc"]),
    slots: 1,
    resources: { cpu: "2", memory: "4Gi", ephemeralStorage: "12Gi" },
    replicas: { max },
    gpu: {
      nodeSelector: { "nvidia.com/gpu.present": "true" },
      resource: "nvidia.com/gpu",
      taint: "nvidia.com/gpu",
    },
  };
}

function fleet({ environment, ports }: Target, name: string, queues: readonly string[]) {
  const query = queues.map((queue) => `queue=${queue}`).join("&");
  return {
    name,
    app: "encoder-worker",
    team: "encoder",
    calls: ["encoder", "user"],
    // Sources and results travel by addresses that the encoder signs.
    reaches: ["objects"],
    settings: { ENCODER_URL: `dns:///encoder:${ports.encoder}`, USER_URL: `dns:///user:${ports.user}` },
    secrets: ["WORKER_API_KEY"],
    backlog: {
      url: `http://encoder.${environment.namespace}:${ports.encoder}/metrics/queue?${query}`,
      valueLocation: "tasks",
      tokenSecret: { name: "encoder", key: "METRICS_TOKEN" },
    },
    drainSeconds: 900,
    dataSize: "8Gi",
    temporarySize: "2Gi",
  } as const;
}
