/**
 * What no schema says: objects that refer to each other have to agree, and each pod keeps to the rules of the house. Takes rendered objects, so that it also sees what a hand-written
 * manifest got wrong.
 */

type Labels = Readonly<Record<string, string>>;

type Container = {
  name: string;
  image?: string;
  env?: { name: string; value?: string }[];
  resources?: { requests?: Labels; limits?: Labels };
  securityContext?: {
    readOnlyRootFilesystem?: boolean;
    allowPrivilegeEscalation?: boolean;
    capabilities?: { drop?: string[] };
  };
};

type PodSpec = {
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
  securityContext?: { runAsNonRoot?: boolean; seccompProfile?: { type?: string } };
  containers: Container[];
};

/** As much of an object as the rules look at. */
export type KubernetesObject = {
  kind: string;
  metadata: { name: string; namespace?: string };
  spec?: {
    replicas?: number;
    selector?: Labels | { matchLabels?: Labels };
    podSelector?: { matchLabels?: Labels };
    template?: { metadata?: { labels?: Labels }; spec: PodSpec };
    scaleTargetRef?: { name: string };
    ports?: { port: number }[];
  };
};

type Workload = { what: string; object: KubernetesObject; labels: Labels; pod: PodSpec };

/** What is wrong with the objects of one environment, as sentences; nothing if all is well. */
export function faultsOf(objects: readonly KubernetesObject[]): string[] {
  const workloads = objects.flatMap((object): Workload[] => {
    const template = object.spec?.template;
    if (template === undefined) return [];
    const what = `${object.kind} ${object.metadata.name}`;
    return [{ what, object, labels: template.metadata?.labels ?? {}, pod: template.spec }];
  });
  return [
    ...workloads.flatMap((workload) => podFaults(workload)),
    ...workloads.flatMap((workload) => surroundingFaults(workload, objects)),
    ...workloads.flatMap((workload) => callFaults(workload, objects)),
    ...objects.flatMap((object) => targetFaults(object, workloads)),
  ];
}

function podFaults({ what, pod }: Workload): string[] {
  const fault = (wrong: boolean, sentence: string): string[] => (wrong ? [`${what}: ${sentence}.`] : []);
  return [
    ...fault(pod.automountServiceAccountToken !== false, "it gets a token for Kubernetes, which it doesn't need"),
    ...fault(pod.securityContext?.runAsNonRoot !== true, "it may run as root"),
    ...fault(pod.securityContext?.seccompProfile?.type !== "RuntimeDefault", "it has no seccomp profile"),
    ...pod.containers.flatMap(({ image = "", resources, securityContext: security }) => [
      ...fault(
        !/(@sha256:[0-9a-f]{64}|:[\w.-]+)$/.test(image) || image.endsWith(":latest"),
        `"${image}" is no fixed version`,
      ),
      ...fault(resources?.requests?.cpu === undefined, "it doesn't say how much CPU it needs"),
      ...fault(
        resources?.requests?.memory === undefined || resources.limits?.memory === undefined,
        "it doesn't say how much memory it needs and may have",
      ),
      ...fault(security?.readOnlyRootFilesystem !== true, "its root file system can be written to"),
      ...fault(security?.allowPrivilegeEscalation !== false, "it may gain rights"),
      ...fault(!security?.capabilities?.drop?.includes("ALL"), "it keeps capabilities"),
    ]),
  ];
}

/** A pod needs its account, and a policy of its own: without one the namespace's policy shuts it off from everything. */
function surroundingFaults({ what, labels, object, pod }: Workload, objects: readonly KubernetesObject[]): string[] {
  const account = objects.some(
    ({ kind, metadata }) => kind === "ServiceAccount" && metadata.name === pod.serviceAccountName,
  );
  const policy = objects.some(
    ({ kind, spec }) => kind === "NetworkPolicy" && selects(spec?.podSelector?.matchLabels, labels),
  );
  const scaler = objects.find(
    ({ kind, spec }) =>
      /^(HorizontalPodAutoscaler|ScaledObject)$/.test(kind) && spec?.scaleTargetRef?.name === object.metadata.name,
  );
  return [
    ...(account ? [] : [`${what}: there is no ServiceAccount ${pod.serviceAccountName}.`]),
    ...(policy ? [] : [`${what}: no NetworkPolicy selects its pods.`]),
    ...(object.kind !== "Deployment" || scaler ? [] : [`${what}: nothing scales it.`]),
    ...(scaler && object.spec?.replicas !== undefined
      ? [`${what}: it names its replicas, which ${scaler.kind} sets.`]
      : []),
  ];
}

/** A setting that names one of our services, such as `dns:///user:8081`, needs the label that lets its pods in there. */
function callFaults({ what, labels, object, pod }: Workload, objects: readonly KubernetesObject[]): string[] {
  if (object.kind === "Job") return []; // It only talks to its database.
  return pod.containers
    .flatMap(({ env = [] }) => env)
    .flatMap(({ name, value = "" }) => {
      const [, host = "", port] = /^(?:https?:\/\/|dns:\/\/\/)([a-z0-9-]+):(\d+)/.exec(value) ?? [];
      const service = objects.find(({ kind, metadata }) => kind === "Service" && metadata.name === host);
      if (service === undefined || host === labels["app.kubernetes.io/name"]) return [];
      return [
        ...(service.spec?.ports?.some((listening) => String(listening.port) === port)
          ? []
          : [`${what}: ${name}=${value}, but ${host} doesn't listen there.`]),
        ...(labels[`kinora/calls-${host}`] === "true"
          ? []
          : [`${what}: ${name}=${value}, but it doesn't say that it calls ${host}.`]),
      ];
    });
}

/** What selects pods or scales a Deployment has to find some. */
function targetFaults({ kind, metadata, spec }: KubernetesObject, workloads: readonly Workload[]): string[] {
  const what = `${kind} ${metadata.name}`;
  const target = spec?.scaleTargetRef;
  if (target !== undefined) {
    const found = workloads.some(({ object }) => object.kind === "Deployment" && object.metadata.name === target.name);
    return found ? [] : [`${what}: there is no Deployment ${target.name} to scale.`];
  }
  if (!/^(Service|PodDisruptionBudget|Deployment)$/.test(kind)) return [];
  const selector = spec?.selector;
  const wanted = (selector && "matchLabels" in selector ? selector.matchLabels : selector) as Labels | undefined;
  const found = workloads.filter(({ labels }) => selects(wanted, labels));
  const jobs = found.filter(({ object }) => object.kind === "Job");
  return [
    ...(found.length > 0 ? [] : [`${what}: it selects no pods.`]),
    ...jobs.map((job) => `${what}: it also selects the pods of ${job.what}.`),
  ];
}

function selects(wanted: Labels | undefined, labels: Labels): boolean {
  const entries = Object.entries(wanted ?? {});
  return entries.length > 0 && entries.every(([key, value]) => labels[key] === value);
}
