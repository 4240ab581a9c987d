# Versions of what tests/cluster/tools/build.sh builds; those of Kubernetes, etcd and helm-unittest
# stand in their go.mod.
HELM=3.21.4
KWOK=0.8.0
# Modules whose custom resource definitions the chart and its examples use: module, version, folder.
CRDS="
github.com/prometheus-operator/prometheus-operator 0.85.0 example/prometheus-operator-crd
github.com/kedacore/keda/v2 2.21.0 config/crd/bases
github.com/cert-manager/cert-manager 1.21.2 deploy/crds
github.com/mongodb/mongodb-kubernetes-operator 0.9.0 config/crd/bases
sigs.k8s.io/gateway-api 1.6.3 config/crd/standard
"
