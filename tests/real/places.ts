// Real places and the networks people are on there, as Cloudflare's `request.cf` names them. Their time zones have had the
// same rules for years: each face has a table of zones of its own age, and that is not what the tests compare.

/** A place: its fields of `request.cf`, the languages spoken there, and how many visitors of this shop come from it. */
export interface Place {
  country: string;
  isEUCountry?: "1";
  continent: string;
  region?: string;
  regionCode?: string;
  city: string;
  postalCode?: string;
  latitude: string;
  longitude: string;
  timezone: string;
  languages: string[];
  /** Networks of homes and telephones: number and organisation. */
  networks: [number, string][];
  weight: number;
}

const FR = { country: "FR", isEUCountry: "1", continent: "EU", timezone: "Europe/Paris" } as const;
const FRENCH_NETWORKS: [number, string][] = [[3215, "Orange S.A."], [12322, "Free SAS"], [5410, "Bouygues Telecom SA"], [15557, "Societe Francaise Du Radiotelephone - SFR SA"]];
const FRENCH = ["fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7", "fr-FR,fr;q=0.9", "fr", "fr-FR", "fr-FR,fr;q=0.8,en-US;q=0.5,en;q=0.3", "en-GB,en;q=0.9,fr;q=0.8"];
const ENGLISH = ["en-GB,en;q=0.9", "en-GB", "en-US,en;q=0.9", "en-US,en;q=0.9,fr;q=0.4"];

export const PLACES: Place[] = [
  { ...FR, region: "Île-de-France", regionCode: "IDF", city: "Paris", postalCode: "75011", latitude: "48.85341", longitude: "2.34880", languages: FRENCH, networks: FRENCH_NETWORKS, weight: 14 },
  { ...FR, region: "Auvergne-Rhône-Alpes", regionCode: "ARA", city: "Lyon", postalCode: "69003", latitude: "45.74846", longitude: "4.84671", languages: FRENCH, networks: FRENCH_NETWORKS, weight: 10 },
  { ...FR, region: "Auvergne-Rhône-Alpes", regionCode: "ARA", city: "Saint-Étienne", postalCode: "42000", latitude: "45.43389", longitude: "4.39000", languages: FRENCH, networks: FRENCH_NETWORKS, weight: 2 },
  { ...FR, region: "Provence-Alpes-Côte d'Azur", regionCode: "PAC", city: "Marseille", postalCode: "13001", latitude: "43.29695", longitude: "5.38107", languages: FRENCH, networks: FRENCH_NETWORKS, weight: 4 },
  { ...FR, region: "Nouvelle-Aquitaine", regionCode: "NAQ", city: "Bordeaux", postalCode: "33000", latitude: "44.84044", longitude: "-0.58050", languages: FRENCH, networks: FRENCH_NETWORKS, weight: 3 },
  { ...FR, region: "Occitanie", regionCode: "OCC", city: "Toulouse", latitude: "43.60426", longitude: "1.44367", languages: FRENCH, networks: FRENCH_NETWORKS, weight: 3 },
  { ...FR, region: "Grand Est", regionCode: "GES", city: "Strasbourg", latitude: "48.58392", longitude: "7.74553", languages: [...FRENCH, "de-DE,de;q=0.9,fr;q=0.8"], networks: FRENCH_NETWORKS, weight: 2 },
  { country: "BE", isEUCountry: "1", continent: "EU", region: "Brussels Capital", regionCode: "BRU", city: "Brussels", postalCode: "1000", latitude: "50.85045", longitude: "4.34878", timezone: "Europe/Brussels", languages: ["fr-BE,fr;q=0.9,en;q=0.6", "nl-BE,nl;q=0.9,fr;q=0.7"], networks: [[5432, "Proximus NV"], [6848, "Telenet BV"]], weight: 3 },
  { country: "CH", continent: "EU", region: "Geneva", regionCode: "GE", city: "Geneva", latitude: "46.20222", longitude: "6.14569", timezone: "Europe/Zurich", languages: ["fr-CH,fr;q=0.9,en;q=0.8,de;q=0.7"], networks: [[3303, "Swisscom (Schweiz) AG"], [6730, "Sunrise GmbH"]], weight: 2 },
  { country: "CA", continent: "NA", region: "Quebec", regionCode: "QC", city: "Montreal", postalCode: "H3B", latitude: "45.50884", longitude: "-73.58781", timezone: "America/Toronto", languages: ["fr-CA,fr;q=0.9,en-CA;q=0.8", "en-CA,en;q=0.9,fr-CA;q=0.7"], networks: [[577, "Bell Canada"], [5769, "Videotron Ltee"]], weight: 3 },
  { country: "SN", continent: "AF", region: "Dakar", regionCode: "DK", city: "Dakar", latitude: "14.69370", longitude: "-17.44406", timezone: "Africa/Dakar", languages: ["fr-SN,fr;q=0.9", "fr"], networks: [[8346, "SONATEL-AS Autonomous System"]], weight: 1 },
  { country: "TN", continent: "AF", region: "Tunis Governorate", regionCode: "11", city: "Tunis", latitude: "36.81897", longitude: "10.16579", timezone: "Africa/Tunis", languages: ["fr-TN,fr;q=0.9,ar;q=0.8", "ar-TN,ar;q=0.9,fr;q=0.8"], networks: [[37705, "TOPNET"]], weight: 2 },
  { country: "GB", continent: "EU", region: "England", regionCode: "ENG", city: "London", postalCode: "EC2V", latitude: "51.50853", longitude: "-0.12574", timezone: "Europe/London", languages: ENGLISH, networks: [[2856, "British Telecommunications PLC"], [5089, "Virgin Media Limited"]], weight: 8 },
  { country: "IE", isEUCountry: "1", continent: "EU", region: "Leinster", regionCode: "L", city: "Dublin", latitude: "53.33306", longitude: "-6.24889", timezone: "Europe/Dublin", languages: ["en-IE,en;q=0.9", ...ENGLISH], networks: [[5466, "Eir Broadband"]], weight: 4 },
  { country: "DE", isEUCountry: "1", continent: "EU", region: "Bavaria", regionCode: "BY", city: "Munich", postalCode: "80331", latitude: "48.13743", longitude: "11.57549", timezone: "Europe/Berlin", languages: ["de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", "de"], networks: [[3320, "Deutsche Telekom AG"], [3209, "Vodafone GmbH"]], weight: 5 },
  { country: "NL", isEUCountry: "1", continent: "EU", region: "North Holland", regionCode: "NH", city: "Amsterdam", latitude: "52.37403", longitude: "4.88969", timezone: "Europe/Amsterdam", languages: ["nl-NL,nl;q=0.9,en;q=0.8", "en-NL,en;q=0.9"], networks: [[1136, "KPN B.V."], [33915, "Vodafone Libertel B.V."]], weight: 3 },
  { country: "ES", isEUCountry: "1", continent: "EU", region: "Madrid", regionCode: "MD", city: "Madrid", latitude: "40.41650", longitude: "-3.70256", timezone: "Europe/Madrid", languages: ["es-ES,es;q=0.9"], networks: [[3352, "Telefonica De Espana S.a.u."]], weight: 3 },
  { country: "IT", isEUCountry: "1", continent: "EU", region: "Lazio", regionCode: "62", city: "Rome", latitude: "41.89193", longitude: "12.51133", timezone: "Europe/Rome", languages: ["it-IT,it;q=0.9,en-US;q=0.8"], networks: [[3269, "Telecom Italia S.p.A."]], weight: 3 },
  { country: "PL", isEUCountry: "1", continent: "EU", region: "Mazovia", regionCode: "14", city: "Warsaw", latitude: "52.22977", longitude: "21.01178", timezone: "Europe/Warsaw", languages: ["pl-PL,pl;q=0.9,en-US;q=0.8"], networks: [[5617, "Orange Polska Spolka Akcyjna"]], weight: 2 },
  { country: "US", continent: "NA", region: "New York", regionCode: "NY", city: "New York", postalCode: "10001", latitude: "40.71427", longitude: "-74.00597", timezone: "America/New_York", languages: ["en-US,en;q=0.9", "en-US", "es-US,es;q=0.9,en;q=0.8"], networks: [[701, "Verizon Business"], [7018, "AT&T Enterprises, LLC"]], weight: 5 },
  { country: "US", continent: "NA", region: "California", regionCode: "CA", city: "San Francisco", postalCode: "94103", latitude: "37.77493", longitude: "-122.41942", timezone: "America/Los_Angeles", languages: ["en-US,en;q=0.9", "zh-CN,zh;q=0.9,en;q=0.8"], networks: [[7922, "Comcast Cable Communications, LLC"]], weight: 3 },
  { country: "US", continent: "NA", region: "Arizona", regionCode: "AZ", city: "Phoenix", latitude: "33.44838", longitude: "-112.07404", timezone: "America/Phoenix", languages: ["en-US,en;q=0.9"], networks: [[22773, "Cox Communications Inc."]], weight: 1 },
  { country: "CA", continent: "NA", region: "Newfoundland and Labrador", regionCode: "NL", city: "St. John's", latitude: "47.56494", longitude: "-52.70931", timezone: "America/St_Johns", languages: ["en-CA,en;q=0.9"], networks: [[855, "Bell Canada"]], weight: 1 },
  { country: "BR", continent: "SA", region: "São Paulo", regionCode: "SP", city: "São Paulo", latitude: "-23.54750", longitude: "-46.63611", timezone: "America/Sao_Paulo", languages: ["pt-BR,pt;q=0.9,en-US;q=0.8"], networks: [[28573, "Claro NXT Telecomunicacoes Ltda"]], weight: 2 },
  { country: "JP", continent: "AS", region: "Tokyo", regionCode: "13", city: "Tokyo", latitude: "35.68950", longitude: "139.69171", timezone: "Asia/Tokyo", languages: ["ja,en-US;q=0.9,en;q=0.8"], networks: [[2516, "KDDI CORPORATION"], [4713, "NTT Communications Corporation"]], weight: 2 },
  { country: "IN", continent: "AS", region: "Maharashtra", regionCode: "MH", city: "Mumbai", latitude: "19.07283", longitude: "72.88261", timezone: "Asia/Kolkata", languages: ["en-IN,en;q=0.9,hi;q=0.8"], networks: [[55836, "Reliance Jio Infocomm Limited"]], weight: 2 },
  { country: "NP", continent: "AS", region: "Bagmati Province", regionCode: "P3", city: "Kathmandu", latitude: "27.70169", longitude: "85.32060", timezone: "Asia/Kathmandu", languages: ["ne,en;q=0.9"], networks: [[17501, "WorldLink Communications Pvt Ltd"]], weight: 1 },
  { country: "AU", continent: "OC", region: "South Australia", regionCode: "SA", city: "Adelaide", latitude: "-34.92866", longitude: "138.59863", timezone: "Australia/Adelaide", languages: ["en-AU,en;q=0.9"], networks: [[1221, "Telstra Limited"]], weight: 1 },
  { country: "NZ", continent: "OC", region: "Canterbury", regionCode: "CAN", city: "Christchurch", latitude: "-43.53333", longitude: "172.63333", timezone: "Pacific/Auckland", languages: ["en-NZ,en;q=0.9"], networks: [[4771, "Spark New Zealand Trading Ltd."]], weight: 1 },
  { country: "PF", continent: "OC", city: "Papeete", latitude: "-17.53733", longitude: "-149.56650", timezone: "Pacific/Tahiti", languages: ["fr-PF,fr;q=0.9"], networks: [[9471, "ONATI"]], weight: 1 },
  { country: "ZA", continent: "AF", region: "Gauteng", regionCode: "GP", city: "Johannesburg", latitude: "-26.20227", longitude: "28.04363", timezone: "Africa/Johannesburg", languages: ["en-ZA,en;q=0.9", "af,en;q=0.8"], networks: [[3741, "Dimension Data"]], weight: 1 },
];

/** Networks of companies and universities, which are anywhere. */
export const BUSINESS_NETWORKS: [number, string][] = [
  [714, "Apple Inc."],
  [8075, "Microsoft Corporation"],
  [4249, "Eli Lilly and Company"],
  [2200, "Renater"],
  [680, "Verein zur Foerderung eines Deutschen Forschungsnetzes e.V."],
  [786, "Jisc Services Limited"],
  [1103, "SURF B.V."],
  [32, "Stanford University"],
  [73, "University of Washington"],
];
