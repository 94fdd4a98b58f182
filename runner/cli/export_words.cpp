// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

GroupWords export_words() {
  constexpr const char* kSecret = "the name of a Secret in the cluster";
  return {
      "export",
      "Write a run for other systems to do again",
      {command_words<command::ExportArgo>(
          "argo",
          "Write a WorkflowTemplate of Argo Workflows that does the same run in a container: the package from a "
          "remote, "
          "the recorded options, the hyperparameters as parameters of the workflow. It is checked against Argo's "
          "schema, and not run here; docs/argo.md tells the rest",
          "trainyard export argo digits@1.1 --image registry.example.com/trainyard:0.1 --remote models\n"
          "  trainyard export argo digits-nightly --image registry.example.com/trainyard:0.1 --data "
          "claim:datasets/digits "
          "-o digits.yaml\n"
          "  trainyard export argo digits@1.1 --image registry.example.com/trainyard:0.1 --for sap-ai-core "
          "--resource-plan starter",
          [&](auto& argo) {
            return std::vector<Word>{
                {"definition", &argo.definition, "RUN", "A run by name or id, or NAME@VERSION for the run that made it",
                 Word::Need::required},
                {"--image", &argo.image, "IMAGE",
                 "The image of the container: Trainyard, a shell, and what the package needs", Word::Need::required},
                {"--name", &argo.name, "NAME", "What to call the WorkflowTemplate (as the run is called)"},
                {"--remote", &argo.remote, "REMOTE",
                 "Where the package comes from and the new version goes to; the only one there is, when not given"},
                {"--remote-claim", &argo.remote_claim, "CLAIM[/PATH]",
                 "Of a remote that is a folder: the volume claim with it"},
                {"--data", &argo.data, "WHERE",
                 "Where the data is: artifact (an input artifact of the workflow), artifact:KEY, claim:NAME[/PATH] or "
                 "s3://bucket/prefix (the run's own bucket, else artifact)"},
                {"--evaluation-data", &argo.evaluation_data, "WHERE", "The same of the evaluation data"},
                {"--secrets", &argo.secrets, "SECRET",
                 std::string("For the secrets of the run: ") + kSecret + ", whose keys are their names"},
                {"--aws-secret", &argo.aws_secret, "SECRET",
                 std::string("For buckets: ") + kSecret +
                     ", with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, where needed, AWS_SESSION_TOKEN, "
                     "AWS_REGION, "
                     "AWS_ENDPOINT_URL_S3"},
                {"--registry-secret", &argo.registry_secret, "SECRET",
                 std::string("For a remote that is a registry: ") + kSecret +
                     ", of type kubernetes.io/dockerconfigjson"},
                {"--pull-secret", &argo.pull_secret, "SECRET", std::string("For the image: ") + kSecret},
                {"--python", &argo.python, "PATH",
                 "The interpreter in the image, for a Python package (that of the run)"},
                {"--for", &argo.target, "SYSTEM", "Write it as sap-ai-core takes it"},
                {"--scenario", &argo.scenario, "ID", "Of SAP AI Core: the scenario (the package's name)"},
                {"--resource-plan", &argo.resource_plan, "PLAN", "Of SAP AI Core: the resource plan, such as starter"},
                {"-o,--output", &argo.file, "FILE", "Write it into this new file"}};
          })}};
}

}  // namespace trainyard
