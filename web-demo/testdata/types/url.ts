// A page that imports the module from its bridge.

import { connect } from "http://localhost:9876/clu.js";

const clu = connect("ws://localhost:9876");
console.log(clu.keyword("dome", "az").stale);
// @ts-expect-error
clu.keyworld("dome", "az");
